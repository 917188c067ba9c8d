"""ZIP archives opened safely: every member is checked, and limits hold for the bytes that really come out.

Sizes that an archive declares are never trusted: a bomb is stopped while it unpacks.
"""

from __future__ import annotations

import errno
import io
import lzma
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.intake.text_encoding import HEAD_BYTES, LONGEST_CHARACTER, known_encoding

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
CHUNK_BYTES = 1024 * 1024
RATIO_FLOOR_BYTES = 10 * 1024 * 1024
ENTRIES_A_MEMBER = 2
"""Folders are entries of an archive's directory, too, and no members."""
BYTES_AN_ENTRY = 512
"""So long the entries of a directory may be on average, with their names, comments and what else systems add."""
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError)

_SIGNATURE, _LENGTH, _PLACE = 0, 5, 9
"""Where `zipfile` has them of the end of a directory: its place is behind the directory."""
_ZIP64_END, _ZIP64_END_BYTES = b"PK\x06\x06", 56 + 20
_ENTRY, _ENTRY_MAGIC = struct.Struct("<28x3H12x"), b"PK\x01\x02"
_IN_UTF8, _OTHERWISE = 0x800, "cp437"
"""The flag of a name in UTF-8, and how `zipfile` reads a name without it. Few of those who write archives mean that."""


class ArchiveError(InputError):
    """An archive, or one member of it, is refused; `code` names the reason."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what, where="archive", remedy="Unpack it yourself and hand in the files that matter.")
        self.code = code


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive, with all archives inside it, may unpack to.

    `max_ratio` is unpacked bytes of a member over its packed bytes, held from 10 MiB on: small files of one repeated
    byte are harmless.
    """

    max_members: int = 20_000
    max_member_bytes: int = 1024**3
    max_total_bytes: int = 4 * 1024**3
    max_ratio: float = 200.0
    max_depth: int = 3


class Budget:
    """What an archive may still unpack."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.bytes_left = limits.max_total_bytes
        self.members_left = limits.max_members

    def take_members(self, count: int) -> None:
        """Count members in. Raises ArchiveError when they are too many."""
        self.members_left -= count
        if self.members_left < 0:
            raise ArchiveError("too-many-members", "The archive has too many members")


class MemberStream(io.RawIOBase):
    """A member's bytes as they are unpacked.

    Reading raises ArchiveError where they are damaged and as soon as a limit is passed, OSError where the disk fails.
    """

    def __init__(self, source: BinaryIO, packed_bytes: int, budget: Budget) -> None:
        super().__init__()
        self._source = source
        self._packed = max(packed_bytes, 1)
        self._budget = budget
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._source.read(min(len(view), CHUNK_BYTES))
        except BROKEN as error:
            raise _meant(error, "corrupt-member", "The member cannot be unpacked") from None
        limits = self._budget.limits
        self._read += len(data)
        self._budget.bytes_left -= len(data)
        if self._budget.bytes_left < 0:
            raise ArchiveError("archive-too-large", "The archive unpacks to more bytes than are taken in")
        if self._read > limits.max_member_bytes:
            raise ArchiveError("member-too-large", "The member unpacks to more bytes than are taken in")
        if self._read > RATIO_FLOOR_BYTES and self._read / self._packed > limits.max_ratio:
            raise ArchiveError("compression-bomb", "The member is packed more tightly than any document is")
        view[: len(data)] = data
        return len(data)


def is_zip(stream: BinaryIO) -> bool:
    """Whether a stream begins as a ZIP archive does. Leaves it at its beginning."""
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    return head in ZIP_MAGIC


def is_document_package(archive: zipfile.ZipFile) -> bool:
    """Whether an archive is one document (OOXML, ODF or EPUB) and no container of files."""
    names = {info.filename for info in archive.infolist()}
    described = ("META-INF/manifest.xml", "META-INF/container.xml")
    return "[Content_Types].xml" in names or ("mimetype" in names and not names.isdisjoint(described))


def open_archive(stream: BinaryIO, limits: ArchiveLimits) -> zipfile.ZipFile:
    """The archive in a seekable stream.

    Raises ArchiveError when its directory is damaged or lists far more than the limits allow, OSError as reading does.
    """
    try:
        _require_short_directory(stream, limits)
        return zipfile.ZipFile(stream)
    except BROKEN as error:
        raise _meant(error, "corrupt-archive", "The archive is damaged") from None


@dataclass(frozen=True)
class Member:
    """A file of an archive: its number (1-based, folders not counted), path, and the reason to refuse it, if any."""

    number: int
    path: str
    info: zipfile.ZipInfo
    refusal: ArchiveError | None


def members(archive: zipfile.ZipFile) -> list[Member]:
    """The files of an archive in its own order, each checked for what could harm whoever unpacks it.

    Names whose encoding the archive does not say are read in the one that all of them together tell.
    """
    seen: set[str] = set()
    found = []
    files = [info for info in archive.infolist() if not info.is_dir()]
    encoding = _encoding_of_names(files)
    for number, info in enumerate(files, start=1):
        name = _decoded(info, encoding)
        path = unicodedata.normalize("NFC", name or info.filename)
        refusal = _refusal(info, name or info.orig_filename, path, seen)
        seen.add(path.casefold())
        found.append(Member(number, path, info, refusal))
    return found


def open_member(archive: zipfile.ZipFile, member: Member, budget: Budget) -> BinaryIO:
    """The bytes of a member. Raises ArchiveError here or while reading, OSError where the disk fails."""
    try:
        source = archive.open(member.info)
    except (*BROKEN, RuntimeError) as error:
        raise _meant(error, "corrupt-member", "The member cannot be unpacked") from None
    return cast(BinaryIO, MemberStream(cast(BinaryIO, source), member.info.compress_size, budget))


def check_package(stream: BinaryIO, limits: ArchiveLimits) -> None:
    """Unpack a document package once, keeping nothing, so that a parser meets no bomb. Raises ArchiveError."""
    budget = Budget(limits)
    stream.seek(0)
    with open_archive(stream, limits) as archive:
        found = members(archive)
        budget.take_members(len(found))
        for member in found:
            if member.refusal is not None:
                raise member.refusal
            with open_member(archive, member, budget) as source:
                while source.read(CHUNK_BYTES):
                    pass
    stream.seek(0)


def _require_short_directory(stream: BinaryIO, limits: ArchiveLimits) -> None:
    """Walk the directory in constant memory, before `zipfile` makes an object of each entry.

    Raises ArchiveError where it is too long, whatever number of entries it declares. One that cannot be walked to its
    end is left to `zipfile`, which goes no further either.
    """
    end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]  # so that both look at the same directory
    if end is None:
        return
    length, behind = end[_LENGTH], end[_PLACE] - (_ZIP64_END_BYTES if end[_SIGNATURE] == _ZIP64_END else 0)
    at, entries, most = behind - length, 0, ENTRIES_A_MEMBER * limits.max_members
    while at >= 0 and length <= most * BYTES_AN_ENTRY and entries <= most:
        stream.seek(at)
        head = stream.read(_ENTRY.size)
        if at >= behind or len(head) < _ENTRY.size or not head.startswith(_ENTRY_MAGIC):
            return
        at += _ENTRY.size + sum(_ENTRY.unpack(head))
        entries += 1
    if at >= 0:
        raise ArchiveError("too-many-members", "The archive lists too many members")


def _meant(error: Exception, code: str, what: str) -> Exception:
    """What an error while unpacking means: a damaged archive, or a machine that fails, which the archive cannot help.

    What unpacks gives damage no error number, or that of a place that cannot be.
    """
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return error
    return ArchiveError(code, what)


def _encoding_of_names(files: Iterable[zipfile.ZipInfo]) -> str | None:
    """The encoding that the names beyond ASCII are in whose archive does not say it; None where they do not tell."""
    names = b"".join(b"\n" + name for name in map(_undeclared, files) if name)
    known = known_encoding((names + b"\n" * LONGEST_CHARACTER)[:HEAD_BYTES]) if names else None
    return known[0] if known is not None else None


def _undeclared(info: zipfile.ZipInfo) -> bytes:
    """The bytes of a name beyond ASCII whose encoding the archive does not say; none of any other name."""
    name = info.orig_filename
    return b"" if name.isascii() or "\0" in name or info.flag_bits & _IN_UTF8 else name.encode(_OTHERWISE)


def _decoded(info: zipfile.ZipInfo, encoding: str | None) -> str | None:
    """A name whose encoding the archive does not say, read in this one; None where it is in another, and for others."""
    name = _undeclared(info)
    if not name or encoding is None:
        return None
    try:
        return name.decode(encoding)
    except UnicodeDecodeError:
        return None


def _refusal(info: zipfile.ZipInfo, original: str, path: str, seen: set[str]) -> ArchiveError | None:
    parts = path.split("/")
    if original.startswith("/") or "\\" in original or "\0" in original or parts[0].endswith(":"):
        return ArchiveError("absolute-path", "The member has an absolute path or one of another system")
    if ".." in parts or "." in parts or "" in parts:
        return ArchiveError("path-traversal", "The member's path leads out of the archive")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return ArchiveError("special-member", "The member is a link or a special file")
    if info.flag_bits & 0x1:
        return ArchiveError("encrypted-member", "The member is encrypted")
    if path.casefold() in seen:
        return ArchiveError("colliding-name", "Another member has the same name")
    if not _is_text(path):
        return ArchiveError("unreadable-name", "The member's name is not text")
    return None


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
