"""Stage 3, `extract`: objects become records and segments of text, each with a locator that leads back to its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.stage import Reject, StageCount
from tenant_pipeline.core.tables import RawObjects, StageReader, StageWriter, TableWriter
from tenant_pipeline.intake.identify import limits_of
from tenant_pipeline.intake.manifest import manifest_entries
from tenant_pipeline.intake.readers.chat_message import AI_READERS
from tenant_pipeline.intake.readers.item import Problem, UnreadableError
from tenant_pipeline.intake.sandbox.parsers import records


def extract(
    identified: StageReader, received: StageReader, raw: RawObjects, out: StageWriter
) -> tuple[StageCount, ...]:
    """Write a table of records for each table of the profile, and a reject for each row that could not be read."""
    digests = {entry.object: entry.sha256 for entry in manifest_entries(received)}
    objects = rows = problems = 0
    for profile in identified.document("profile")["objects"]:
        objects += 1
        with ExitStack() as stack:
            tables = [_RecordTable(stack, out, profile, table) for table in profile["tables"]]
            for found in _found(profile, digests[profile["object"]], raw):
                if isinstance(found, Problem):
                    rows += 1
                    problems += 1
                    out.reject(Reject(f"{profile['object']}#{found.locator}", found.code, found.reason))
                else:
                    number, batch = found
                    rows += batch.num_rows
                    tables[number].add(batch)
            for table in tables:
                table.close()
    return (
        StageCount("object", objects, objects, 0, 0, rows, "row"),
        StageCount("row", rows, rows - problems, problems, 0, rows - problems, "record"),
    )


def _found(
    profile: Mapping[str, Any], digest: Sha256, raw: RawObjects
) -> Iterator[tuple[int, pa.RecordBatch] | Problem]:
    """What the reader finds: the same as when the object was identified, or the runtime is at fault."""
    with raw.open(digest) as stream:
        try:
            yield from records(
                stream,
                reader=profile["reader"],
                encoding=profile["encoding"],
                tables=profile["tables"],
                limits=limits_of(profile["released"]),
            )
        except UnreadableError as error:
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
            **{f"f{position:04d}": column for position, column in enumerate(values)},
        }
        self._writer.write(pa.table(arrays).to_pandas(types_mapper=pd.ArrowDtype))
        self._rows += count
