"""Receive: the files of a unit as a manifest of leaf files, archives unpacked safely.

What is refused stays listed with its reason. A person may release some of it: then it is taken in after all, under a
path that leads nowhere else and within far wider limits.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from zipfile import ZipFile

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.origin import Unit
from tenant_pipeline.core.stage import Disposition, Reject, StageCount
from tenant_pipeline.core.tables import BATCH_ROWS, RawObjects, StageWriter
from tenant_pipeline.intake.archive import (
    BROKEN,
    ArchiveError,
    ArchiveLimits,
    Budget,
    Member,
    is_document_package,
    is_zip,
    members,
    open_archive,
    open_member,
)
from tenant_pipeline.intake.malware import MalwareScanner

MANIFEST = "manifest"
MANIFEST_COLUMNS = ("object", "path", "sha256", "size", "media_type", "container")
RELEASABLE = frozenset(
    {
        "file-too-large", "member-too-large", "archive-too-large", "compression-bomb", "too-many-members",
        "nested-too-deep", "path-traversal", "absolute-path", "colliding-name", "malware",
    }
)  # fmt: skip
"""Reasons that a person may overrule. What is encrypted, damaged or a link cannot be read whoever says so."""
RELEASED_LIMITS = ArchiveLimits(
    max_members=1_000_000, max_member_bytes=64 * 1024**3, max_total_bytes=64 * 1024**3, max_ratio=1e9, max_depth=8
)
SYSTEM_FILES = (".ds_store", "thumbs.db", "desktop.ini")

_OF_ARCHIVES = ("archive-too-large", "too-many-members", "nested-too-deep")
_MEDIA_TYPES = mimetypes.MimeTypes()  # the built-in table only, so that the guess is the same on every machine


@dataclass(frozen=True)
class ReceiveLimits:
    """How large a unit may be. `max_file_bytes` holds for every file that was handed in."""

    max_files: int = 100_000
    max_file_bytes: int = 4 * 1024**3
    archive: ArchiveLimits = field(default_factory=ArchiveLimits)


@dataclass(frozen=True)
class _Leaf:
    path: str
    sha256: Sha256
    size: int
    container: str


def receive(
    unit: Unit,
    raw: RawObjects,
    out: StageWriter,
    limits: ReceiveLimits,
    *,
    released: Collection[tuple[str, str]] = (),
    scanner: MalwareScanner | None = None,
) -> tuple[StageCount, ...]:
    """Write the `manifest` of a unit's leaf files, in the order of their paths; unpack archives into the raw zone.

    A file or archive member that must not be taken in is quarantined, a file that an operating system left behind
    is rejected. `released` are the locators and codes of refusals that a person has overruled. Where there is a
    `scanner`, nothing is taken in that it has not seen. Counts: ("file" in, out, rejected, quarantined; emitted
    "object").

    Raises InputError when the unit has more files than the limits allow, SourceStoppedError when the scanner fails.
    """
    if len(unit.files) > limits.max_files:
        raise InputError("The unit has too many files", where="unit", remedy="Hand it in as several sources.")
    intake = _Intake(raw, out, limits, frozenset(released), scanner)
    objects = 0
    waiting: list[_Leaf] = []
    with out.table(MANIFEST, MANIFEST, fields=MANIFEST_COLUMNS) as table:
        for number, file in enumerate(sorted(unit.files, key=lambda each: each.path), start=1):
            locator = f"file={number}"
            for leaf in intake.leaves(_Leaf(file.path, file.sha256, file.size, ""), locator, None, 0):
                waiting.append(leaf)
                if len(waiting) == BATCH_ROWS:
                    table.write(_frame(waiting, objects))
                    objects += len(waiting)
                    waiting.clear()
        if waiting or not objects:
            table.write(_frame(waiting, objects))
            objects += len(waiting)
    rejected, quarantined = (intake.refused[each] for each in (Disposition.REJECTED, Disposition.QUARANTINED))
    seen = objects + rejected + quarantined
    return (StageCount("file", seen, objects, rejected, quarantined, objects, "object"),)


class _Intake:
    """Walks files and archives, and notes what it refuses."""

    def __init__(
        self,
        raw: RawObjects,
        out: StageWriter,
        limits: ReceiveLimits,
        released: frozenset[tuple[str, str]],
        scanner: MalwareScanner | None,
    ) -> None:
        self._raw = raw
        self._out = out
        self._limits = limits
        self._released = released
        self._scanner = scanner
        self.refused = {Disposition.REJECTED: 0, Disposition.QUARANTINED: 0}

    def leaves(self, file: _Leaf, locator: str, budget: Budget | None, depth: int) -> Iterator[_Leaf]:
        """The leaf files of a file: itself, or what the archive holds."""
        if _is_system_file(file.path):
            self._refuse(locator, "system-file", "Left behind by an operating system", Disposition.REJECTED)
            return
        if file.size > self._limits.max_file_bytes and not self._is_released(locator, "file-too-large"):
            self._refuse(locator, "file-too-large", "The file is larger than is taken in")
            return
        with self._raw.open(file.sha256) as stream:
            if self._is_infected(stream) and not self._is_released(locator, "malware"):
                self._refuse(locator, "malware", "The malware scanner knows the file as infected")
                return
            if not is_zip(stream):
                yield file
                return
            wider = any((locator, code) in self._released for code in _OF_ARCHIVES)
            try:
                yield from self._unpacked(
                    stream,
                    file,
                    locator,
                    Budget(RELEASED_LIMITS) if wider else budget or Budget(self._limits.archive),
                    0 if wider else depth,
                )
            except ArchiveError as error:
                self._refuse(locator, error.code, error.what)

    def _unpacked(self, stream: BinaryIO, file: _Leaf, locator: str, budget: Budget, depth: int) -> Iterator[_Leaf]:
        with open_archive(stream) as archive:
            if is_document_package(archive):
                yield file
                return
            found = members(archive)
            if not found:
                raise ArchiveError("empty-archive", "The archive holds no files")
            if depth >= budget.limits.max_depth:
                raise ArchiveError("nested-too-deep", "Archives lie inside each other too deeply")
            budget.take_members(len(found))
            for member in sorted(found, key=lambda each: (each.path, each.number)):
                place = f"{locator}&member={member.number}"
                try:
                    leaf = self._taken_out(archive, member, file, place, budget)
                except ArchiveError as error:
                    self._refuse(place, error.code, error.what)
                except BROKEN:
                    self._refuse(place, "corrupt-member", "The member cannot be unpacked")
                else:
                    if leaf is not None:
                        yield from self.leaves(leaf, place, budget, depth + 1)

    def _taken_out(self, archive: ZipFile, member: Member, file: _Leaf, place: str, budget: Budget) -> _Leaf | None:
        """A member as a file of its own; None for what an operating system left behind. Raises ArchiveError."""
        if _is_system_file(member.path):
            self._refuse(place, "system-file", "Left behind by an operating system", Disposition.REJECTED)
            return None
        path = member.path
        if member.refusal is not None:
            if not self._is_released(place, member.refusal.code):
                raise member.refusal
            path = f"released/{member.number}/{_last_part(path)}"
        if self._is_released(place, "member-too-large") or self._is_released(place, "compression-bomb"):
            budget = Budget(RELEASED_LIMITS)
        with open_member(archive, member, budget) as source:
            digest, size = self._raw.put(source)
        return _Leaf(f"{file.path}!/{path}", digest, size, file.path)

    def _is_infected(self, stream: BinaryIO) -> bool:
        return self._scanner is not None and self._scanner.is_infected(stream)

    def _is_released(self, locator: str, code: str) -> bool:
        return (locator, code) in self._released

    def _refuse(self, locator: str, code: str, reason: str, disposition: Disposition = Disposition.QUARANTINED) -> None:
        self._out.reject(Reject(locator, code, reason, disposition))
        self.refused[disposition] += 1


def _last_part(path: str) -> str:
    """The name at the end of a path that may be of any system, and nothing that leads elsewhere."""
    name = re.split(r"[/\\:]", path)[-1].strip(". ")
    return name or "file"


def _is_system_file(path: str) -> bool:
    parts = path.rsplit("!/", 1)[-1].split("/")
    return "__MACOSX" in parts[:-1] or parts[-1].lower() in SYSTEM_FILES or parts[-1].startswith("._")


def _frame(leaves: list[_Leaf], before: int) -> pd.DataFrame:
    frame: pd.DataFrame = pa.table(
        {
            "object": pa.array([f"o{before + n:05d}" for n in range(1, len(leaves) + 1)], pa.string()),
            "path": pa.array([leaf.path for leaf in leaves], pa.string()),
            "sha256": pa.array([leaf.sha256 for leaf in leaves], pa.string()),
            "size": pa.array([leaf.size for leaf in leaves], pa.int64()),
            "media_type": pa.array([_MEDIA_TYPES.guess_type(leaf.path)[0] or "" for leaf in leaves], pa.string()),
            "container": pa.array([leaf.container for leaf in leaves], pa.string()),
        }
    ).to_pandas(types_mapper=pd.ArrowDtype)
    return frame
