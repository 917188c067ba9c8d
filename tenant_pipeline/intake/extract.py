"""Stage 3, `extract`: objects become records and segments of text, each with a locator that leads back to its place.

An object is read a second time here. What its parser then takes beyond the limits, or breaks down over, is quarantined
as it would have been by `identify`; the others go on.
"""

from __future__ import annotations

import resource
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.stage import Reject, StageCount
from tenant_pipeline.core.tables import RawObjects, StageReader, StageWriter, TableWriter, field_column
from tenant_pipeline.intake.identify import RELEASABLE, limits_of
from tenant_pipeline.intake.manifest import manifest_entries
from tenant_pipeline.intake.overruled import OverruledRefusal
from tenant_pipeline.intake.readers.chat_message import AI_READERS
from tenant_pipeline.intake.readers.item import Problem, UnreadableError
from tenant_pipeline.intake.refusals import Refusals
from tenant_pipeline.intake.sandbox.parsers import records

FURTHER_FILES = 256
"""That a process has open beside those of an object's tables: connections, libraries' and its log."""
_REFUSED = RELEASABLE | {"parse-error"}
"""How a parser may end over what it has read before: it has more to do here, and the machine may be busier."""


def extract(
    identified: StageReader,
    received: StageReader,
    raw: RawObjects,
    out: StageWriter,
    *,
    released: Collection[OverruledRefusal] = (),
) -> tuple[StageCount, ...]:
    """Write a table of records for each table of the profile, and a reject for each row that could not be read.

    Of an object whose parser ends before its time there is no table; the rows that it had told as problems by then stay
    told. `released` are such refusals that a person has overruled. Raises IntegrityError for an object that cannot be
    read for another reason than when it was identified.
    """
    digests = {entry.object: entry.sha256 for entry in manifest_entries(received)}
    objects = passed = problems = 0
    with Refusals(out, released) as refusals:
        for profile in identified.document("profile")["objects"]:
            objects += 1
            name, digest = profile["object"], digests[profile["object"]]
            wider = refusals.is_released(name, digest, *sorted(RELEASABLE)) or profile["released"]
            read = _Reading(profile, out)
            try:
                read.take(_found(profile, digest, raw, wider=wider))
            except UnreadableError as unreadable:
                refusals.refuse(name, unreadable.code, unreadable.reason, digest)
            else:
                passed += read.rows
            problems += read.problems
    readable = objects - refusals.quarantined
    return (
        StageCount("object", objects, readable, 0, refusals.quarantined, passed + problems, "row"),
        StageCount("row", passed + problems, passed, problems, 0, passed, "record"),
    )


class _Reading:
    """An object being read: its tables, and how many rows passed and did not."""

    def __init__(self, profile: Mapping[str, Any], out: StageWriter) -> None:
        self._profile = profile
        self._out = out
        self.rows = self.problems = 0

    def take(self, found: Iterator[tuple[int, pa.RecordBatch] | Problem]) -> None:
        """Write what is found. No table stays where it ends in an error."""
        _allow_files(len(self._profile["tables"]) + FURTHER_FILES)
        with ExitStack() as stack:
            tables = [_RecordTable(stack, self._out, self._profile, table) for table in self._profile["tables"]]
            for each in found:
                if isinstance(each, Problem):
                    self.problems += 1
                    self._out.reject(Reject(f"{self._profile['object']}#{each.locator}", each.code, each.reason))
                else:
                    number, batch = each
                    self.rows += batch.num_rows
                    tables[number].add(batch)
            for table in tables:
                table.close()


def _allow_files(wanted: int) -> None:
    """Let this process have so many files open: each table that is being written is one.

    What a process may have by itself is commonly far less than it is granted. Raises UnreadableError where it is not.
    """
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now == resource.RLIM_INFINITY or now >= wanted:
        return
    if most != resource.RLIM_INFINITY and most < wanted:
        raise UnreadableError("too-many-tables", "It holds more tables than can be written here; hand it in in parts.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _found(
    profile: Mapping[str, Any], digest: Sha256, raw: RawObjects, *, wider: bool
) -> Iterator[tuple[int, pa.RecordBatch] | Problem]:
    """What the reader finds: the same as when the object was identified, or the runtime is at fault."""
    with raw.open(digest) as stream:
        try:
            yield from records(
                stream,
                reader=profile["reader"],
                encoding=profile["encoding"],
                tables=profile["tables"],
                limits=limits_of(wider).half_as_much_again(),
            )
        except UnreadableError as error:
            if error.code in _REFUSED:
                raise
            raise IntegrityError(
                f"An object that could be read before cannot be read now ({error.code})",
                where=profile["object"],
                remedy="Run it again; if it stays, report it with the stage's record.",
            ) from None


class _RecordTable:
    """A table being filled, batch by batch."""

    def __init__(
        self, stack: ExitStack, out: StageWriter, profile: Mapping[str, Any], table: Mapping[str, Any]
    ) -> None:
        self._object = profile["object"]
        self._fields = len(table["fields"])
        about = {"object": profile["object"], "path": profile["path"], "reader": profile["reader"],
                 "name": table["name"], "shape": table["shape"], "language": profile["language"],
                 "ai": profile["reader"] in AI_READERS}  # fmt: skip
        self._writer: TableWriter = stack.enter_context(
            out.table(table["table"], "records", fields=table["fields"], about=about)
        )
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Write a batch: the locators, then the fields."""
        self._write(batch.columns)

    def close(self) -> None:
        """Write the table's columns even where it has no row."""
        if not self._rows:
            self._write([pa.array([], pa.string())] * (self._fields + 1))

    def _write(self, columns: list[pa.Array]) -> None:
        locators, *values = columns
        count = len(locators)
        arrays = {
            "record": pa.array(range(self._rows, self._rows + count), pa.int64()),
            "locator": pc.binary_join_element_wise(f"{self._object}#", locators, ""),
            **{field_column(position): column for position, column in enumerate(values)},
        }
        self._writer.write(pa.table(arrays).to_pandas(types_mapper=pd.ArrowDtype))
        self._rows += count
