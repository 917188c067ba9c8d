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
from tenant_pipeline.intake.overruled import OverruledRefusal
from tenant_pipeline.intake.refusals import Refusals, digest_of_member

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

_OF_ARCHIVES = ("too-many-members", "nested-too-deep")
_OF_MEMBERS = ("archive-too-large", "member-too-large", "compression-bomb")
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
    released: Collection[OverruledRefusal] = (),
    scanner: MalwareScanner | None = None,
) -> tuple[StageCount, ...]:
    """Write the `manifest` of a unit's leaf files, in the order of their paths; unpack archives into the raw zone.

    A file or archive member that must not be taken in is quarantined, a file that an operating system left behind
    is rejected. `released` are refusals that a person has overruled; what is refused and what is let in by them stands
    in the table `refusals`. Where there is a `scanner`, nothing is taken in that it has not seen. Counts: ("file" in,
    out, rejected, quarantined; emitted "object").

    Raises InputError when the unit has more files than the limits allow, SourceStoppedError when the scanner fails.
    """
    if len(unit.files) > limits.max_files:
        raise InputError("The unit has too many files", where="unit", remedy="Hand it in as several sources.")
    objects = 0
    waiting: list[_Leaf] = []
    with Refusals(out, released) as refusals, out.table(MANIFEST, MANIFEST, fields=MANIFEST_COLUMNS) as table:
        intake = _Intake(raw, out, limits, refusals, scanner)
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
    seen = objects + intake.rejected + refusals.quarantined
    return (StageCount("file", seen, objects, intake.rejected, refusals.quarantined, objects, "object"),)


class _Intake:
    """Walks files and archives, and notes what it refuses."""

    def __init__(
        self,
        raw: RawObjects,
        out: StageWriter,
        limits: ReceiveLimits,
        refusals: Refusals,
        scanner: MalwareScanner | None,
    ) -> None:
        self._raw = raw
        self._out = out
        self._limits = limits
        self._refusals = refusals
        self._scanner = scanner
        self.rejected = 0

    def leaves(self, file: _Leaf, locator: str, budget: Budget | None, depth: int) -> Iterator[_Leaf]:
        """The leaf files of a file: itself, or what the archive holds."""
        if _is_system_file(file.path):
            self._reject_system_file(locator)
            return
        refusals, digest = self._refusals, file.sha256
        if file.size > self._limits.max_file_bytes and not refusals.is_released(locator, digest, "file-too-large"):
            refusals.refuse(locator, "file-too-large", "The file is larger than is taken in", digest)
            return
        with self._raw.open(digest) as stream:
            if self._is_infected(stream) and not refusals.is_released(locator, digest, "malware"):
                refusals.refuse(locator, "malware", "The malware scanner knows the file as infected", digest)
                return
            if not is_zip(stream):
                yield file
                return
            wider = refusals.is_released(locator, digest, *_OF_ARCHIVES)
            try:
                yield from self._unpacked(
                    stream,
                    file,
                    locator,
                    Budget(RELEASED_LIMITS) if wider else budget or Budget(self._limits.archive),
                    0 if wider else depth,
                )
            except ArchiveError as error:
                refusals.refuse(locator, error.code, error.what, digest)

    def _unpacked(self, stream: BinaryIO, file: _Leaf, locator: str, budget: Budget, depth: int) -> Iterator[_Leaf]:
        with open_archive(stream, budget.limits) as archive:
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
                place, digest = f"{locator}&member={member.number}", digest_of_member(file.sha256, member.number)
                try:
                    leaf = self._taken_out(archive, member, file, place, digest, budget)
                except ArchiveError as error:
                    self._refusals.refuse(place, error.code, error.what, digest)
                else:
                    if leaf is not None:
                        yield from self.leaves(leaf, place, budget, depth + 1)

    def _taken_out(
        self, archive: ZipFile, member: Member, file: _Leaf, place: str, digest: Sha256, budget: Budget
    ) -> _Leaf | None:
        """A member as a file of its own; None for what an operating system left behind. Raises ArchiveError."""
        if _is_system_file(member.path):
            self._reject_system_file(place)
            return None
        path = member.path
        if member.refusal is not None:
            if not self._refusals.is_released(place, digest, member.refusal.code):
                raise member.refusal
            path = f"released/{member.number}/{_last_part(path)}"
        if self._refusals.is_released(place, digest, *_OF_MEMBERS):
            budget = Budget(RELEASED_LIMITS)
        with open_member(archive, member, budget) as source:
            unpacked, size = self._raw.put(source)
        return _Leaf(f"{file.path}!/{path}", unpacked, size, file.path)

    def _is_infected(self, stream: BinaryIO) -> bool:
        return self._scanner is not None and self._scanner.is_infected(stream)

    def _reject_system_file(self, locator: str) -> None:
        self._out.reject(Reject(locator, "system-file", "Left behind by an operating system", Disposition.REJECTED))
        self.rejected += 1


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
