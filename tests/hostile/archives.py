"""Hostile archives: each a ZIP that holds one good file and one that must not come in, or is hostile as a whole."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
from collections.abc import Iterator

GOOD = ("venues.csv", b"name_en,capacity\nHall,10\n")
PACKED_LEAST = zipfile.ZIP_DEFLATED

LEADING_OUT = (
    "../x.csv", "../../x.csv", "a/../../x.csv", "./x.csv", "a/./x.csv", "a//x.csv", "..", "a/..", "...//../x.csv",
    "a/../b/../../x.csv", "ก/../../x.csv", "deep/./x.csv", "deep//x.csv", "deep/../../../x.csv",
)  # fmt: skip
ABSOLUTE = (
    "/x.csv", "/etc/cron.d/x", "//host/share/x.csv", "\\\\host\\share\\x.csv", "C:/x.csv", "C:\\x.csv", "..\\x.csv",
    "a\\..\\..\\x.csv", "\\x.csv", "file:/x.csv", "deep/..\\x.csv", "ก\\x.csv",
)  # fmt: skip
"""Paths of another system count as absolute: nothing tells where they lead."""


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", PACKED_LEAST) as archive:
        archive.writestr(*GOOD)
        for name, content in members:
            archive.writestr(name, content, PACKED_LEAST)
    return written.getvalue()


def hostile_members(seed: int) -> Iterator[tuple[bytes, str]]:
    """Archives with one member that is to be refused, and the code of the refusal."""
    chance = random.Random(seed)
    for code, names in (("path-traversal", LEADING_OUT), ("absolute-path", ABSOLUTE)):
        for name in names:
            yield _zip((_named(name), b"x")), code
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
        for target in (b"/etc/passwd", b"../../secret", b"venues.csv"):
            info = zipfile.ZipInfo(f"link-{kind}")
            info.external_attr = (kind | 0o777) << 16
            yield _zip((info, target)), "special-member"
    for name in ("VENUES.csv", "venues.csv", "Venues.CSV"):
        yield _zip((_named(name), b"other")), "colliding-name"
    for _ in range(20):
        packed = _zip((_named("member.bin"), chance.randbytes(2000)))
        yield _flag_encrypted(packed), "encrypted-member"
    for size in (12, 16, 24):
        yield _zip((_named("zeros.csv"), b"\0" * size * 1024 * 1024)), "compression-bomb"
    for _ in range(40):
        packed = bytearray(_zip((_named("member.bin"), chance.randbytes(3000))))
        start = packed.index(b"member.bin") + 10
        for _ in range(20):
            packed[start + chance.randrange(2500)] ^= 1 << chance.randrange(8)
        yield bytes(packed), "corrupt-member"


def hostile_wholes(seed: int) -> Iterator[bytes]:
    """Archives that are refused as a whole, or lose what was broken and nothing else."""
    chance = random.Random(seed)
    good = _zip(("b.csv", b"a,b\n1,2\n" * 50))
    for _ in range(60):
        yield good[: chance.randrange(30, len(good) - 1)]
    yield _nested(8)
    yield b"PK\x05\x06" + b"\0" * 18
    yield b"PK\x03\x04" + b"\xff" * 200
    for _ in range(40):
        broken = bytearray(good)
        directory = good.rindex(b"PK\x01\x02")
        for _ in range(8):
            broken[chance.randrange(directory, len(broken))] = chance.randrange(256)
        yield bytes(broken)


def crowded(entries: int, name_bytes: int = 1) -> bytes:
    """An archive that is nothing but a directory of so many entries, of which it declares one."""
    entry = struct.pack("<4s24x3H12x", b"PK\x01\x02", name_bytes, 0, 0) + b"x" * name_bytes
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, entries * len(entry), 4, 0)
    return b"PK\x03\x04" + entry * entries + end


def _named(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("placeholder")
    info.filename = path
    return info


def _nested(depth: int) -> bytes:
    inner = b"a,b\n1,2\n"
    name = "a.csv"
    for level in range(depth):
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", PACKED_LEAST) as archive:
            archive.writestr(name, inner)
        inner, name = written.getvalue(), f"level{level}.zip"
    return inner


def _flag_encrypted(packed: bytes) -> bytes:
    """The last member marked as encrypted, in its own header and in the directory."""
    changed = bytearray(packed)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = packed.rindex(mark) + offset
        (flags,) = struct.unpack_from("<H", packed, position)
        struct.pack_into("<H", changed, position, flags | 1)
    return bytes(changed)
