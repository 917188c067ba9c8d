"""What is seen in a file before it is handed in: formats, tables, the mapping that would be proposed, problems.

Nothing is stored and no installation is needed: files are read where they lie, and only what comes out of an archive
is written to a temporary folder for as long as it is looked at.
"""

from __future__ import annotations

import hashlib
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.mapping.choose import choose, is_declared
from tenant_pipeline.core.mapping.mapping import Mapping as DeclaredMapping
from tenant_pipeline.core.mapping.mapping import field_key
from tenant_pipeline.core.mapping.proposal import Proposal
from tenant_pipeline.core.mapping.propose import propose_for_table
from tenant_pipeline.core.origin import Origin, Unit, UnitMode
from tenant_pipeline.core.stage import Disposition, Reject
from tenant_pipeline.core.tables import RawObjects, TableWriter
from tenant_pipeline.intake.archive import ArchiveLimits
from tenant_pipeline.intake.readers.item import RECORDS, UnreadableError
from tenant_pipeline.intake.receive import MANIFEST, ReceiveLimits, receive
from tenant_pipeline.intake.sandbox.limits import ParserLimits
from tenant_pipeline.intake.sandbox.parsers import profile
from tenant_pipeline.intake.unit_reader import unit_from_paths
from tenant_pipeline.storage.owned_folder import working_folder

SAMPLE_ROWS = 200
READ_BYTES = 1024 * 1024
NOT_LOOKED_AT = "not-looked-at"
_TOO_MUCH = frozenset({"too-many-members", "archive-too-large", "parser-time"})


@dataclass(frozen=True)
class InspectedTable:
    """A table: its name, whether it is of records or of text, its rows, and what its fields would be mapped to.

    `declared` names the property of each field by the mapping that is declared for such tables; without one there is
    a `proposal`. A table of text has neither.
    """

    name: str
    shape: str
    rows: int
    fields: tuple[str, ...]
    mapping: str = ""
    declared: Mapping[str, str] | None = None
    proposal: Proposal | None = None


@dataclass(frozen=True)
class InspectedObject:
    """A file, or a member of an archive: what it is and how sure that is (0–1), or why it is refused."""

    path: str
    media_type: str = ""
    encoding: str = ""
    confidence: float = 0.0
    language: str = ""
    tables: tuple[InspectedTable, ...] = ()
    problems: int = 0
    first_problems: tuple[tuple[str, str, str], ...] = ()
    refused: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The object as the command line gives it."""
        tables = [
            {
                "name": table.name,
                "shape": table.shape,
                "rows": table.rows,
                "fields": list(table.fields),
                "mapping": table.mapping,
                "declared": dict(table.declared) if table.declared is not None else None,
                "proposal": table.proposal.as_json() if table.proposal else None,
            }
            for table in self.tables
        ]
        problems = [{"locator": place, "code": code, "reason": why} for place, code, why in self.first_problems]
        return {**asdict(self), "tables": tables, "first_problems": problems}


@dataclass(frozen=True)
class InspectionLimits:
    """How much is looked at: what archives may hold, and for how many seconds objects are looked into.

    By itself as much as the pipeline takes in. What is more than narrower limits is told as `not-looked-at`: handed in,
    it may well be read.
    """

    received: ReceiveLimits = field(default_factory=ReceiveLimits)
    seconds: float = math.inf

    def of_parser(self, left: float) -> ParserLimits | None:
        """What a parser may use while so many seconds are left; None where there is no end to them."""
        if math.isinf(left):
            return None
        return ParserLimits(cpu_seconds=max(1, int(left)), bytes_a_second=sys.maxsize, wall_factor=1)

    def told(self, each: InspectedObject) -> InspectedObject:
        """An object as it is told: what these limits alone may have refused was not looked at."""
        narrow = self != InspectionLimits()
        return _not_looked_at(each.path) if narrow and each.refused in _TOO_MUCH else each


WHILE_SOMEBODY_WAITS = InspectionLimits(
    ReceiveLimits(archive=ArchiveLimits(max_members=500, max_total_bytes=512 * 1024**2)), 120.0
)
"""Two minutes of a thread of the API, and half a gigabyte of its disk."""


def inspect_path(
    path: Path, origin: Origin, contracts: Contracts, limits: InspectionLimits | None = None
) -> list[InspectedObject]:
    """Look into a file, a folder or an archive as the pipeline would, and tell what it would find.

    Raises InputError for a path that is missing or can never be handed in; everything else that is wrong is told of
    the object that it is wrong with.
    """
    mode = UnitMode.FOLDER if path.is_dir() else UnitMode.SINGLE_FILE
    with _files_in_place() as raw:
        return inspect_unit(unit_from_paths(mode, [path], raw), raw, origin, contracts, limits)


def inspect_unit(
    unit: Unit, raw: RawObjects, origin: Origin, contracts: Contracts, limits: InspectionLimits | None = None
) -> list[InspectedObject]:
    """Look into a unit whose files are kept. What is wrong is told of the object that it is wrong with."""
    limits = limits or InspectionLimits()
    ends = time.monotonic() + limits.seconds
    listing = _Listing()
    receive(unit, raw, listing, limits.received)
    names = {f"file={number}": file.path for number, file in enumerate(unit.files, 1)}
    found = []
    for path, digest in listing.objects:
        left = ends - time.monotonic()
        parser = limits.of_parser(left)
        found.append(_inspected(raw, path, digest, origin, contracts, parser) if left > 0 else _not_looked_at(path))
    found += [
        InspectedObject(_named(reject, names), refused=reject.code, reason=reject.reason) for reject in listing.rejects
    ]
    return [limits.told(each) for each in found]


def _not_looked_at(path: str) -> InspectedObject:
    reason = "It is more than is looked at beforehand; handed in, it is looked at whole."
    return InspectedObject(path, refused=NOT_LOOKED_AT, reason=reason)


def _named(reject: Reject, names: Mapping[str, str]) -> str:
    """The file that a refusal of `receive` speaks of, and the place of the member in it."""
    file, _, member = reject.locator.partition("&")
    return f"{names.get(file, file)} {member}".strip()


def _inspected(
    raw: RawObjects, path: str, digest: Sha256, origin: Origin, contracts: Contracts, limits: ParserLimits | None
) -> InspectedObject:
    try:
        with raw.open(digest) as stream:
            found = profile(stream, path, samples=SAMPLE_ROWS, limits=limits)
    except UnreadableError as unreadable:
        return InspectedObject(path, refused=unreadable.code, reason=unreadable.reason)
    return InspectedObject(
        path=path,
        media_type=found["media_type"],
        encoding=found["encoding"],
        confidence=found["confidence"],
        language=found["language"],
        tables=tuple(_table(table, origin, contracts) for table in found["tables"]),
        problems=found["problems"],
        first_problems=tuple((place, code, reason) for place, code, reason in found["first_problems"]),
    )


def _table(table: Mapping[str, Any], origin: Origin, contracts: Contracts) -> InspectedTable:
    fields: Sequence[str] = table["fields"]
    about = InspectedTable(table["name"], table["shape"], table["rows"], tuple(fields))
    if table["shape"] != RECORDS:
        return about
    choice = choose(contracts.mappings, fields, RECORDS, origin)
    if is_declared(choice):
        return replace(about, mapping=choice.mapping.id, declared=_said_by(choice.mapping, fields))
    rows = [[row.get(name) for name in fields] for row in table["samples"]]
    proposal = propose_for_table(contracts.mappings, contracts.vocabulary, fields, RECORDS, origin, rows)
    return replace(about, proposal=proposal)


def _said_by(mapping: DeclaredMapping, fields: Sequence[str]) -> dict[str, str]:
    """What a declared mapping makes of each field that it knows."""
    by_key = {field_key(name): name for name in reversed(fields)}
    said: dict[str, str] = {}
    for rule in mapping.rules:
        for names in (rule.fields, rule.latitude, rule.longitude):
            known = next((by_key[field_key(name)] for name in names if field_key(name) in by_key), None)
            if known is not None:
                said.setdefault(known, f"{rule.property}@{rule.lang}" if rule.lang else rule.property)
    return said


class _FilesInPlace:
    """Files under their digests, left where they lie; what is no file of its own goes to a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[Sha256, Path] = {}
        self._copies = 0

    def put(self, stream: BinaryIO) -> tuple[Sha256, int]:
        """Digest a stream, and remember where its bytes are found again."""
        name = getattr(stream, "name", None)
        if isinstance(name, str | Path):
            digest, size = self._digested(stream, None)
            self._places[digest] = Path(name)
            return digest, size
        copy = self._folder / str(self._copies)
        self._copies += 1
        with copy.open("wb") as target:
            digest, size = self._digested(stream, target)
        self._places[digest] = copy
        return digest, size

    def put_resumably(self, stream: BinaryIO, name: str) -> tuple[Sha256, int]:
        """As `put`: nothing is kept that could be gone on with."""
        return self.put(stream)

    def open(self, digest: Sha256) -> BinaryIO:
        """The file of that digest."""
        return self._places[digest].open("rb")

    @staticmethod
    def _digested(stream: BinaryIO, copy: BinaryIO | None) -> tuple[Sha256, int]:
        sha256, size = hashlib.sha256(), 0
        while data := stream.read(READ_BYTES):
            sha256.update(data)
            size += len(data)
            if copy is not None:
                copy.write(data)
        return Sha256(sha256.hexdigest()), size


@contextmanager
def _files_in_place() -> Iterator[_FilesInPlace]:
    with working_folder("inspect") as folder:
        yield _FilesInPlace(folder)


class _Unheard:
    """A table that nobody reads."""

    def write(self, frame: pd.DataFrame) -> None:
        """Let the rows go."""


@dataclass
class _Listing:
    """What `receive` lists and refuses, held in memory."""

    objects: list[tuple[str, Sha256]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @contextmanager
    def table(
        self, name: str, role: str, *, fields: Sequence[str] = (), about: Mapping[str, Any] | None = None
    ) -> Iterator[TableWriter]:
        """The manifest, whose rows become `objects`; what else is written is let go."""
        yield self if name == MANIFEST else _Unheard()

    def write(self, frame: pd.DataFrame) -> None:
        """Take in rows of the manifest."""
        self.objects += [(path, Sha256(digest)) for path, digest in zip(frame["path"], frame["sha256"], strict=True)]

    def document(self, name: str, value: Any) -> None:
        """`receive` writes none."""

    def reject(self, reject: Reject) -> None:
        """Take in a refusal; what an operating system left behind is not worth telling."""
        if reject.disposition is Disposition.QUARANTINED:
            self.rejects.append(reject)

    def reject_many(self, frame: pd.DataFrame) -> None:
        """`receive` refuses one by one."""

    def rejected(self, disposition: Disposition) -> int:
        """How many were refused so far."""
        return len(self.rejects)
