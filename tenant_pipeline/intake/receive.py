"""Receive: the files of a unit as a manifest of leaf files, archives unpacked safely."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

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
    is_document_package,
    is_zip,
    members,
    open_archive,
    open_member,
)

MANIFEST = "manifest"
MANIFEST_COLUMNS = ("object", "path", "sha256", "size", "media_type", "container")
SYSTEM_FILES = (".ds_store", "thumbs.db", "desktop.ini")

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


def receive(unit: Unit, raw: RawObjects, out: StageWriter, limits: ReceiveLimits) -> tuple[StageCount, ...]:
    """Write the `manifest` of a unit's leaf files, in the order of their paths; unpack archives into the raw zone.

    A file or archive member that must not be taken in is quarantined, a file that an operating system left behind
    is rejected. Counts: ("file" in, out, rejected, quarantined; emitted "object").

    Raises InputError when the unit has more files than the limits allow.
    """
    if len(unit.files) > limits.max_files:
        raise InputError("The unit has too many files", where="unit", remedy="Hand it in as several sources.")
    intake = _Intake(raw, out, limits)
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

    def __init__(self, raw: RawObjects, out: StageWriter, limits: ReceiveLimits) -> None:
        self._raw = raw
        self._out = out
        self._limits = limits
        self.refused = {Disposition.REJECTED: 0, Disposition.QUARANTINED: 0}

    def leaves(self, file: _Leaf, locator: str, budget: Budget | None, depth: int) -> Iterator[_Leaf]:
        """The leaf files of a file: itself, or what the archive holds."""
        if _is_system_file(file.path):
            self._refuse(locator, "system-file", "Left behind by an operating system", Disposition.REJECTED)
            return
        if file.size > self._limits.max_file_bytes:
            self._refuse(locator, "file-too-large", "The file is larger than is taken in")
            return
        with self._raw.open(file.sha256) as stream:
            if not is_zip(stream):
                yield file
                return
            try:
                yield from self._unpacked(stream, file, locator, budget or Budget(self._limits.archive), depth)
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
                    if _is_system_file(member.path):
                        self._refuse(place, "system-file", "Left behind by an operating system", Disposition.REJECTED)
                        continue
                    if member.refusal is not None:
                        raise member.refusal
                    with open_member(archive, member, budget) as source:
                        digest, size = self._raw.put(source)
                except ArchiveError as error:
                    self._refuse(place, error.code, error.what)
                    continue
                except BROKEN:
                    self._refuse(place, "corrupt-member", "The member cannot be unpacked")
                    continue
                inner = _Leaf(f"{file.path}!/{member.path}", digest, size, file.path)
                yield from self.leaves(inner, place, budget, depth + 1)

    def _refuse(self, locator: str, code: str, reason: str, disposition: Disposition = Disposition.QUARANTINED) -> None:
        self._out.reject(Reject(locator, code, reason, disposition))
        self.refused[disposition] += 1


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
