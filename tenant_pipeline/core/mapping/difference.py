"""What a source's statements would be under other mappings: the same code over the same records, writing nothing.

Both mappings walk the records batch by batch in step, so memory does not grow with the source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.mapping.apply import RECORD, Application, MappedBatch, MappedTable
from tenant_pipeline.core.mapping.mapping import MappingRules
from tenant_pipeline.core.tables import StageReader
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import Vocabulary

MOST_SAMPLES = 5
_SLOT = [RECORD, "property", "lang"]
_COUNTS = ("added", "removed", "changed", "unchanged")


@dataclass
class PropertyChange:
    """What changes for one property and language. `samples` are locators of records, never values.

    A statement is `changed` when the record said the property with another value before.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    unchanged: int = 0
    records: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass
class TableChange:
    """What changes for a table: mapping, entity type, statements by property, and which records start or stop to speak.

    `entities` counts the records that would speak of an entity with another id: its type or its key is another.
    """

    table: str
    mapping_before: str
    mapping_after: str
    type_before: str
    type_after: str
    records: int = 0
    records_affected: int = 0
    records_gained: int = 0
    records_lost: int = 0
    entities: int = 0
    properties: dict[str, PropertyChange] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether anything would be another."""
        return self.mapping_before != self.mapping_after

    def as_json(self) -> dict[str, Any]:
        """The change as the command line and the API give it."""
        return {
            "table": self.table,
            "changes": self.changes,
            "mapping": {"before": self.mapping_before, "after": self.mapping_after},
            "type": {"before": self.type_before, "after": self.type_after},
            "records": self.records,
            "records_affected": self.records_affected,
            "records_gained": self.records_gained,
            "records_lost": self.records_lost,
            "entities_renamed": self.entities,
            "properties": {name: vars(change) for name, change in sorted(self.properties.items())},
        }


def difference(
    screened: StageReader,
    *,
    before: MappingRules,
    after: MappingRules,
    vocabulary: Vocabulary,
    tenant: TenantId,
    source: SourceId,
    origin: str,
) -> list[TableChange]:
    """What would change for each table if `after` applied instead of `before`.

    Raises InputError when a table to look up in is too large.
    """
    one, other = (
        Application(screened, mappings=rules, vocabulary=vocabulary, tenant=tenant, source=source, origin=origin)
        for rules in (before, after)
    )
    return [_table(one, left, other, right) for left, right in zip(one.tables, other.tables, strict=True)]


def _table(one: Application, left: MappedTable, other: Application, right: MappedTable) -> TableChange:
    change = TableChange(
        left.reader.descriptor.name, _named(left), _named(right), left.choice.mapping.type, right.choice.mapping.type
    )
    if not change.changes:
        change.records = left.reader.rows
        return change
    for old, new in zip(one.batches(left), other.batches(right), strict=True):
        _count(change, old, new)
    return change


def _named(table: MappedTable) -> str:
    return f"{table.choice.mapping.id}@{table.choice.mapping.version}"


def _count(change: TableChange, old: MappedBatch, new: MappedBatch) -> None:
    locators = old.records["locator"]
    renamed = pc.and_(pc.and_(old.speaking, new.speaking), pc.not_equal(old.entities, new.entities))
    change.records += old.records.num_rows
    change.records_gained += _true(pc.and_not(new.speaking, old.speaking))
    change.records_lost += _true(pc.and_not(old.speaking, new.speaking))
    change.entities += _true(renamed)
    slots = _slots(old.statements, new.statements)
    for row in slots.group_by(["property", "lang"]).aggregate([(name, "sum") for name in _COUNTS]).to_pylist():
        found = change.properties.setdefault(_label(row["property"], row["lang"]), PropertyChange())
        for name in _COUNTS:
            setattr(found, name, getattr(found, name) + row[f"{name}_sum"])
    touched = slots.filter(pc.not_equal(pc.add(pc.add(slots["added"], slots["removed"]), slots["changed"]), 0))
    for row in touched.group_by(["property", "lang"]).aggregate([(RECORD, "distinct")]).to_pylist():
        found = change.properties[_label(row["property"], row["lang"])]
        numbers = sorted(row[f"{RECORD}_distinct"])
        found.records += len(numbers)
        wanted = max(MOST_SAMPLES - len(found.samples), 0)
        found.samples += [locators[number].as_py() for number in numbers[:wanted]]
    numbers = pa.array(range(old.records.num_rows), pa.int64())
    change.records_affected += _true(pc.or_(renamed, pc.is_in(numbers, touched[RECORD].combine_chunks())))


def _label(property_: str, lang: str) -> str:
    return f"{property_}@{lang}" if lang else property_


def _slots(old: pa.Table, new: pa.Table) -> pa.Table:
    """For each record, property and language: how many statements are added, removed, changed and unchanged."""
    columns = [*_SLOT, "value"]
    both = pa.concat_tables(
        [
            statements.select(columns)
            .append_column("old", pa.repeat(pa.scalar(is_old, pa.int64()), statements.num_rows))
            .append_column("new", pa.repeat(pa.scalar(1 - is_old, pa.int64()), statements.num_rows))
            for statements, is_old in ((old, 1), (new, 0))
        ]
    )
    values = both.group_by(columns).aggregate([("old", "sum"), ("new", "sum")])
    kept = pc.min_element_wise(values["old_sum"], values["new_sum"])
    values = (
        values.append_column("kept", kept)
        .append_column("gone", pc.subtract(values["old_sum"], kept))
        .append_column("came", pc.subtract(values["new_sum"], kept))
    )
    slots = values.group_by(_SLOT).aggregate([("kept", "sum"), ("gone", "sum"), ("came", "sum")])
    changed = pc.min_element_wise(slots["gone_sum"], slots["came_sum"])
    return pa.table(
        {
            **{name: slots[name] for name in _SLOT},
            "added": pc.subtract(slots["came_sum"], changed),
            "removed": pc.subtract(slots["gone_sum"], changed),
            "changed": changed,
            "unchanged": slots["kept_sum"],
        }
    )


def _true(mask: pa.Array) -> int:
    return pc.sum(mask).as_py() or 0
