"""What the parser server gives up before it reads anything: the network, every folder but its own program's.

Landlock (Linux 5.13) takes away the file system, and TCP from 6.7 on; a network namespace of its own takes away the
rest of the network where the kernel lets an ordinary user have one. Both are for good, and for every child.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_ALL_FILE_ACCESS = (1 << 13) - 1
_BIND_AND_CONNECT_TCP = 0b11
_NETWORK_SINCE = 4
_NO_NEW_PRIVILEGES = 38
_NEW_USER_AND_NETWORK = 0x10000000 | 0x40000000
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/proc/self", "/dev/null", "/dev/urandom",
)  # fmt: skip


def isolate(program: Path) -> tuple[str, ...]:
    """Give up what this kernel lets a process give up: `files`, `tcp`, `network`; what was given up is returned.

    Files of the interpreter, its libraries, the system's shared libraries and `program` can be read still.
    """
    if sys.platform != "linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    given_up = []
    if libc.unshare(_NEW_USER_AND_NETWORK) == 0:
        given_up.append("network")
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version >= 1 and _restrict_files(libc, version, _readable(program)):
        given_up += ["files", "tcp"] if version >= _NETWORK_SINCE else ["files"]
    return tuple(given_up)


def _readable(program: Path) -> list[Path]:
    libraries = [Path(path) for path in sysconfig.get_paths().values()]
    given = [Path(each) for each in (sys.prefix, sys.base_prefix, *sys.path[1:]) if each]
    system = [Path(each) for each in _SYSTEM]
    return [path for path in dict.fromkeys([program, *libraries, *given, *system]) if path.exists()]


def _restrict_files(libc: ctypes.CDLL, version: int, readable: Sequence[Path]) -> bool:
    handled = struct.pack("QQ", _ALL_FILE_ACCESS, _BIND_AND_CONNECT_TCP)
    rules = libc.syscall(_CREATE_RULESET, handled, 16 if version >= _NETWORK_SINCE else 8, 0)
    if rules < 0:
        return False
    try:
        for path in readable:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = _READ_FILE | _EXECUTE | (_READ_DIR if path.is_dir() else 0)
            added = libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", allowed, place), 0)
            os.close(place)
            if added != 0:
                return False
        return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)
