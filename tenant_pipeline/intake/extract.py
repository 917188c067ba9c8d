"""Stage 3, `extract`: objects become records and segments of text, each with a locator that leads back to its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import IntegrityError, TenantRuntimeError
from tenant_pipeline.core.stage import Reject, StageCount
from tenant_pipeline.core.tables import RawObjects, StageReader, StageWriter, TableWriter
from tenant_pipeline.intake.manifest import manifest_entries
from tenant_pipeline.intake.readers.chat_message import AI_READERS
from tenant_pipeline.intake.readers.item import Item, Problem
from tenant_pipeline.intake.readers.registry import READERS

CELLS_A_BATCH = 400_000
"""So many cells are held before they are written: narrow tables go out in longer batches than wide ones."""


def extract(
    identified: StageReader, received: StageReader, raw: RawObjects, out: StageWriter
) -> tuple[StageCount, ...]:
    """Write a table of records for each table of the profile, and a reject for each row that could not be read."""
    digests = {entry.object: entry.sha256 for entry in manifest_entries(received)}
    objects = rows = problems = 0
    for profile in identified.document("profile")["objects"]:
        objects += 1
        with ExitStack() as stack:
            tables = {
                (table["name"], table["shape"]): _RecordTable(stack, out, profile, table) for table in profile["tables"]
            }
            for item in _items(profile, digests[profile["object"]], raw):
                rows += 1
                if isinstance(item, Problem):
                    problems += 1
                    out.reject(Reject(f"{profile['object']}#{item.locator}", item.code, item.reason))
                else:
                    tables[item.table, item.shape].add(item)
            for table in tables.values():
                table.flush()
    return (
        StageCount("object", objects, objects, 0, 0, rows, "row"),
        StageCount("row", rows, rows - problems, problems, 0, rows - problems, "record"),
    )


def _items(profile: Mapping[str, Any], digest: Sha256, raw: RawObjects) -> Iterator[Item | Problem]:
    """What the reader finds: the same as when the object was identified, or the runtime is at fault."""
    with raw.open(digest) as stream:
        try:
            yield from READERS[profile["reader"]](stream, profile["encoding"])
        except TenantRuntimeError:
            raise
        except Exception as error:
            raise IntegrityError(
                f"An object that could be read before cannot be read now ({type(error).__name__})",
                where=profile["object"],
                remedy="Run it again; if it stays, report it with the stage's record.",
            ) from None


class _RecordTable:
    """A table being filled, column by column."""

    def __init__(
        self, stack: ExitStack, out: StageWriter, profile: Mapping[str, Any], table: Mapping[str, Any]
    ) -> None:
        self._object = profile["object"]
        self._fields: list[str] = table["fields"]
        about = {"object": profile["object"], "path": profile["path"], "reader": profile["reader"],
                 "name": table["name"], "shape": table["shape"], "language": profile["language"],
                 "ai": profile["reader"] in AI_READERS}  # fmt: skip
        self._writer: TableWriter = stack.enter_context(
            out.table(table["table"], "records", fields=self._fields, about=about)
        )
        self._batch_rows = max(1, CELLS_A_BATCH // (len(self._fields) + 2))
        self._locators: list[str] = []
        self._columns: list[list[str | None]] = [[] for _ in self._fields]
        self.rows = 0

    def add(self, item: Item) -> None:
        """Take in a record."""
        self._locators.append(f"{self._object}#{item.locator}")
        values = item.values
        for name, column in zip(self._fields, self._columns, strict=True):
            column.append(values.get(name))
        if len(self._locators) >= self._batch_rows:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        count = len(self._locators)
        arrays = {
            "record": pa.array(range(self.rows, self.rows + count), pa.int64()),
            "locator": pa.array(self._locators, pa.string()),
            **{f"f{position:04d}": pa.array(column, pa.string()) for position, column in enumerate(self._columns)},
        }
        self._writer.write(pa.table(arrays).to_pandas(types_mapper=pd.ArrowDtype))
        self.rows += count
        self._locators = []
        self._columns = [[] for _ in self._fields]
