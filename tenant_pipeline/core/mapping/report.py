"""What became of a table's fields and cells: which property each field went to, and how many values went nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.mapping.apply import MappedBatch, MappedTable
from tenant_pipeline.core.mapping.nothing import saying

TOTALS = ("fields_mapped", "fields", "values_mapped", "values_unmapped", "values", "values_as_text")


class TableReport:
    """The report on one table, counted batch by batch.

    A value is a cell that says something. It is mapped when some statement took it: a value that a lookup does not
    find, or that stands in a field without a rule, is not. Values of records that are kept whole are mapped, and
    counted as text besides: they are kept, but nothing is known of what they mean.
    """

    def __init__(self, table: MappedTable) -> None:
        self._table = table
        self._values = [0] * len(table.reader.descriptor.fields)
        self._mapped = [0] * len(table.reader.descriptor.fields)
        self._without_key = 0

    def count(self, batch: MappedBatch) -> None:
        """Count the cells of a batch, and its records that no key names."""
        self._without_key += batch.without_key
        for position, column in enumerate(self._table.reader.descriptor.field_columns):
            says = saying(batch.records[column].combine_chunks().cast(pa.string()))
            self._values[position] += pc.sum(says).as_py() or 0
            if column in batch.used:
                self._mapped[position] += pc.sum(pc.and_(says, batch.used[column])).as_py() or 0

    def as_json(self) -> dict[str, Any]:
        """The table's part of the stage's document `mapping`."""
        descriptor, choice = self._table.reader.descriptor, self._table.choice
        went = self._went()
        columns = descriptor.field_columns
        by_name: dict[str, list[str]] = {}
        for name, column in zip(descriptor.fields, columns, strict=True):
            by_name.setdefault(name, []).extend(went.get(column, []))
        return {
            "table": descriptor.name,
            "mapping": choice.mapping.id,
            "version": choice.mapping.version,
            "type": choice.mapping.type,
            "reason": choice.reason,
            "keyed": self._table.keyed,
            "records_without_key": self._without_key,
            "fields": by_name,
            "unmapped": []
            if choice.as_text
            else [name for name, column in zip(descriptor.fields, columns, strict=True) if column not in went],
            "field_values": [
                {
                    "field": name,
                    "properties": went.get(column, []),
                    "values": values,
                    "mapped": mapped,
                    "unmapped": values - mapped,
                }
                for name, column, values, mapped in zip(
                    descriptor.fields, columns, self._values, self._mapped, strict=True
                )
            ],
            "fields_mapped": len(went),
            "fields_total": len(columns),
            "values_mapped": sum(self._mapped),
            "values_unmapped": sum(self._values) - sum(self._mapped),
            "values": sum(self._values),
            "values_as_text": sum(self._mapped) if choice.as_text else 0,
        }

    def _went(self) -> dict[str, list[str]]:
        """The properties that each column goes to."""
        went: dict[str, list[str]] = {}
        for rule in self._table.choice.mapping.rules:
            halves = [self._table.column(names) for names in (rule.latitude, rule.longitude) if names]
            for column in [*([] if None in halves else halves), self._table.column(rule.fields)]:
                if column is not None:
                    went.setdefault(column, []).append(rule.property + (f"@{rule.lang}" if rule.lang else ""))
        return went


def totals(reports: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The sums of all tables."""
    return {name: sum(report["fields_total" if name == "fields" else name] for report in reports) for name in TOTALS}
