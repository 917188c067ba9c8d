"""What an instance's process may still do: its own folder, its programs, and a bounded share of the machine.

Everything here runs in the child between fork and exec, so a child that cannot be confined is never started. Files are
kept apart by a uid of the instance's own where we are root and that uid can reach the programs, and by Landlock
(https://docs.kernel.org/userspace-api/landlock.html) wherever the kernel has it, for root and everybody else alike.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PLACES = tuple(
    map(
        Path,
        (
            *("/usr", "/lib", "/lib64", "/bin"),
            *("/etc/ld.so.cache", "/etc/localtime", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf"),
            *("/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/mime.types", "/etc/ssl", "/etc/pki"),
        ),
    )
)
SYSTEM_DEVICES = tuple(map(Path, ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")))
MEBIBYTE = 1 << 20
OPEN_FILES = 1024
STACK_BYTES = 1 << 20
"""Each thread's stack counts as data: with the usual 8 MiB, forty waiting threads would be 320 MiB of nothing."""
NICENESS = 5
HIGHEST_CAPABILITY = 63

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 1, 38, 24
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH, _NET_PORT = 1, 1, 2
_CONNECT_TCP = 1 << 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _IOCTL_DEVICE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 15
_SCOPE_SIGNALS_AND_ABSTRACT_SOCKETS = 0b11
_RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
_ALL_RIGHTS = 16
FIRST_VERSION_WITH_PORTS = 4
_FIRST_VERSION_WITH_SCOPES = 6


@dataclass(frozen=True)
class Confinement:
    """What one instance is kept to. `uid` is None where it runs as whoever started it."""

    uid: int | None
    gid: int | None
    memory_mebibytes: int
    readable: tuple[Path, ...]
    writable: Path
    connects_to: tuple[int, ...] | None = ()
    """The TCP ports that it may connect to; None for any."""

    def apply(self) -> None:
        """In the child, after fork: give up all that is not granted here. Raises OSError where that is refused."""
        libc = ctypes.CDLL(None, use_errno=True)
        _limit_resources(self.memory_mebibytes)
        if os.geteuid() == 0:
            os.setgroups([])
            if self.gid is not None:
                os.setgid(self.gid)
            if sys.platform == "linux":
                for capability in range(HIGHEST_CAPABILITY + 1):
                    libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        if sys.platform == "linux":
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            _keep_to(libc, self.readable, self.writable, self.connects_to)
        if self.uid is not None:
            os.setuid(self.uid)
        if sys.platform == "linux":  # after setuid, which would take it back
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def landlock_version() -> int:
    """The version of the kernel's Landlock interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))


def can_be_reached_by_others(paths: Sequence[Path]) -> bool:
    """Whether a uid that owns nothing can come to each of `paths` and read it."""
    for path in paths:
        place = path.resolve()
        wanted = 0o005 if place.is_dir() else 0o004
        if place.stat().st_mode & wanted != wanted or not all(each.stat().st_mode & 0o001 for each in place.parents):
            return False
    return True


def _limit_resources(memory_mebibytes: int) -> None:
    """RLIMIT_DATA counts private writable memory: what the process uses, not the libraries that it merely maps."""
    memory = memory_mebibytes * MEBIBYTE
    for limit, value in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_STACK, STACK_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (bound, bound))
    with suppress(OSError):
        os.nice(NICENESS)


def _keep_to(libc: ctypes.CDLL, readable: Sequence[Path], writable: Path, connects_to: Sequence[int] | None) -> None:
    version = landlock_version()
    if not version:
        return
    rights = (1 << _RIGHTS_OF_VERSION.get(version, _ALL_RIGHTS)) - 1
    kept_to_ports = version >= FIRST_VERSION_WITH_PORTS and connects_to is not None
    attributes = struct.pack("=QQ", rights, _CONNECT_TCP if kept_to_ports else 0)
    if version >= _FIRST_VERSION_WITH_SCOPES:
        attributes += struct.pack("=Q", _SCOPE_SIGNALS_AND_ABSTRACT_SOCKETS)
    elif version < FIRST_VERSION_WITH_PORTS:
        attributes = attributes[:8]
    ruleset = _called(libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    allowed = [(place, _EXECUTE | _READ_FILE | _READ_FOLDER) for place in (*SYSTEM_PLACES, *readable)]
    allowed += [(place, _READ_FILE | _WRITE_FILE | _IOCTL_DEVICE) for place in SYSTEM_DEVICES]
    allowed.append((writable, rights & ~_EXECUTE))
    for place, wanted in allowed:
        if not place.exists():
            continue
        granted = wanted & rights if place.is_dir() else wanted & rights & ~_READ_FOLDER
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
        _called(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", granted, descriptor), 0))
        os.close(descriptor)
    for port in (connects_to or ()) if kept_to_ports else ():
        _called(libc.syscall(_ADD_RULE, ruleset, _NET_PORT, struct.pack("=QQ", _CONNECT_TCP, port), 0))
    _called(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _called(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)
