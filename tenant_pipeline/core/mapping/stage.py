"""The fifth stage: records become statements. What no mapping knows is reported, never dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.mapping.choose import Choice, choose
from tenant_pipeline.core.mapping.mapping import Lookup, MappingRules, field_key
from tenant_pipeline.core.mapping.statements import is_statements, map_statements, statements_report
from tenant_pipeline.core.stage import Disposition, StageCount
from tenant_pipeline.core.statement import AI_MARK, STATEMENT_COLUMNS, entity_id
from tenant_pipeline.core.tables import StageReader, StageWriter, TableReader
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import Vocabulary

LOOKUP_ROWS = 100_000
"""A table that values are looked up in has at most so many rows."""

_TEXT = pa.string()
_NULL_WORDS = ("", "-", "--", "n/a", "na", "null", "none", "ไม่มี", "无")


@dataclass(frozen=True)
class _Table:
    """A table with the mapping chosen for it, and the column of each of its fields by the fields' keys."""

    reader: TableReader
    choice: Choice
    columns: Mapping[str, str]

    def column(self, names: Sequence[str]) -> str | None:
        """The column of the first of these fields that the table has."""
        return next((self.columns[field_key(name)] for name in names if field_key(name) in self.columns), None)


def map_records(
    screened: StageReader,
    out: StageWriter,
    *,
    mappings: MappingRules,
    vocabulary: Vocabulary,
    tenant: TenantId,
    source: SourceId,
    origin: str,
) -> tuple[StageCount, ...]:
    """Map every table of records; write its statements, a reject for each record without any, and the report `mapping`.

    A record's entity is named by the mapping's key fields, or by where the record stands. An empty field says
    nothing. Raises InputError when a table to look up in is too large.
    """
    readers = screened.tables("records")
    tables = [
        _prepare(reader, mappings, vocabulary, origin) for reader in readers if not is_statements(reader.descriptor)
    ]
    lookups = _Lookups(tables)
    records = mapped = statements = 0
    report = []
    for reader in readers:
        if is_statements(reader.descriptor):
            said, refused = map_statements(reader, out, vocabulary=vocabulary, tenant=tenant, source=source)
            records, mapped, statements = records + said + refused, mapped + said, statements + said
            report.append(statements_report(reader.descriptor))
    for table in tables:
        name = table.reader.descriptor.name
        with out.table(name, "statements") as writer:
            for frame in table.reader.batches():
                batch = pa.Table.from_pandas(frame, preserve_index=False)
                made, speaking = _map_batch(
                    table, batch, lookups, vocabulary, tenant, source, mappings.otherwise_property
                )
                writer.write(made.to_pandas(types_mapper=pd.ArrowDtype))
                silent = pc.invert(speaking)
                if pc.any(silent).as_py():
                    out.reject_many(_rejects(batch["locator"].filter(silent)))
                records += batch.num_rows
                mapped += pc.sum(speaking).as_py() or 0
                statements += made.num_rows
        report.append(_report(table))
    out.document("mapping", {"version": mappings.version, "tables": report})
    return (StageCount("record", records, mapped, records - mapped, 0, statements, "statement"),)


def _prepare(reader: TableReader, mappings: MappingRules, vocabulary: Vocabulary, origin: str) -> _Table:
    descriptor = reader.descriptor
    choice = choose(mappings, descriptor.fields, str(descriptor.about.get("shape", "records")), origin)
    allowed = _allowed(vocabulary, choice.mapping.type)
    rules = tuple(rule for rule in choice.mapping.rules if rule.property in allowed)
    columns: dict[str, str] = {}
    for position, name in enumerate(descriptor.fields):
        columns.setdefault(field_key(name), f"f{position:04d}")
    return _Table(reader, replace(choice, mapping=replace(choice.mapping, rules=rules)), columns)


def _allowed(vocabulary: Vocabulary, type_: str) -> set[str]:
    """The properties of a type and of its ancestors."""
    allowed: set[str] = set()
    name: str | None = type_
    while name is not None:
        definition = vocabulary.type(name)
        allowed |= set(definition.properties)
        name = definition.parent
    return allowed


class _Lookups:
    """Values looked up in other tables of the source; each dictionary is built once."""

    def __init__(self, tables: Sequence[_Table]) -> None:
        self._tables = tables
        self._built: dict[Lookup, pa.Table] = {}

    def replace(self, values: pa.Array, lookup: Lookup) -> pa.Array:
        """Each value replaced by what the lookup finds for it; null where it finds nothing."""
        found = self._built.get(lookup)
        if found is None:
            found = self._built[lookup] = self._build(lookup)
        positions = pc.index_in(values, value_set=found["match"].combine_chunks())
        return found["take"].combine_chunks().take(positions)

    def _build(self, lookup: Lookup) -> pa.Table:
        wanted = {field_key(name) for name in lookup.fields}
        pairs: dict[str, str] = {}
        for table in self._tables:
            if not wanted <= set(table.columns):
                continue
            if table.reader.rows > LOOKUP_ROWS:
                raise InputError(
                    f"A table to look up in has more than {LOOKUP_ROWS} rows",
                    where=f"table {table.reader.descriptor.name}, mapping {table.choice.mapping.id}",
                    remedy="Hand in the official codes themselves.",
                )
            match, take = table.columns[field_key(lookup.match)], table.columns[field_key(lookup.take)]
            for frame in table.reader.batches(["locator", match, take]):
                for key, value in zip(frame[match].tolist(), frame[take].tolist(), strict=True):
                    if isinstance(key, str) and isinstance(value, str):
                        pairs.setdefault(key, value[: lookup.first] if lookup.first else value)
        return pa.table({"match": pa.array(list(pairs), _TEXT), "take": pa.array(list(pairs.values()), _TEXT)})


def _map_batch(
    table: _Table,
    batch: pa.Table,
    lookups: _Lookups,
    vocabulary: Vocabulary,
    tenant: TenantId,
    source: SourceId,
    otherwise: str,
) -> tuple[pa.Table, pa.Array]:
    """The statements of a batch, and for each record whether it has any."""
    mapping = table.choice.mapping
    locators = _text(batch["locator"])
    entities = _entities(table, batch, locators, tenant, source)
    method = f"{AI_MARK if table.reader.descriptor.about.get('ai') else ''}map:{mapping.id}@{mapping.version}"
    speaking = pa.array([False] * batch.num_rows)
    pieces = []
    for property_, lang, field, values in _values(table, batch, lookups, otherwise):
        said = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(_folded(values), pa.array(_NULL_WORDS))))
        said = pc.fill_null(said, False)
        speaking = pc.or_(speaking, said)
        pieces.append(
            _statements(
                entities.filter(said),
                locators.filter(said),
                values.filter(said),
                constant={
                    "type": mapping.type,
                    "property": property_,
                    "lang": lang,
                    "datatype": str(vocabulary.property(property_).datatype),
                    "method": method,
                },
                field=field,
            )
        )
    for property_, value in mapping.constants.items():
        constant = pa.array([value] * batch.num_rows, _TEXT).filter(speaking)
        pieces.append(
            _statements(
                entities.filter(speaking),
                locators.filter(speaking),
                constant,
                constant={
                    "type": mapping.type,
                    "property": property_,
                    "lang": "",
                    "datatype": str(vocabulary.property(property_).datatype),
                    "method": f"{method}:constant",
                },
                field="",
            )
        )
    empty = pa.schema([(name, _TEXT) for name in STATEMENT_COLUMNS]).empty_table()
    return pa.concat_tables([empty, *pieces]), speaking


def _values(
    table: _Table, batch: pa.Table, lookups: _Lookups, otherwise: str
) -> Iterator[tuple[str, str, str, pa.Array]]:
    """What each rule finds in the batch: property, language, the field's name, and a value or null for each record."""
    if table.choice.as_text:
        yield otherwise, "", "", _as_text(table, batch)
        return
    names = dict(
        zip((f"f{position:04d}" for position in range(batch.num_columns)), table.reader.descriptor.fields, strict=False)
    )
    for rule in table.choice.mapping.rules:
        if rule.latitude:
            latitude, longitude = table.column(rule.latitude), table.column(rule.longitude)
            if latitude is not None and longitude is not None:
                pair = pc.binary_join_element_wise(_text(batch[latitude]), _text(batch[longitude]), ",")
                yield rule.property, rule.lang, f"{names[latitude]},{names[longitude]}", pair
            continue
        column = table.column(rule.fields)
        if column is None:
            continue
        values = _text(batch[column])
        if rule.lookup is not None:
            values = lookups.replace(values, rule.lookup)
        if rule.first:
            values = pc.utf8_slice_codeunits(values, 0, rule.first)
        if rule.template != "{value}":
            before, after = rule.template.split("{value}")
            values = pc.binary_join_element_wise(before, values, after, "")
        yield rule.property, rule.lang, names[column], values


def _as_text(table: _Table, batch: pa.Table) -> pa.Array:
    """Each record whole, as `field: value; field: value`, for a table of which no field is known."""
    texts: list[str | None] = []
    fields = table.reader.descriptor.fields
    columns = [batch[f"f{position:04d}"].to_pylist() for position in range(len(fields))]
    for row in zip(*columns, strict=True) if columns else ():
        said = [f"{name}: {value}" for name, value in zip(fields, row, strict=True) if value]
        texts.append("; ".join(said) or None)
    return pa.array(texts, _TEXT) if columns else pa.nulls(batch.num_rows, _TEXT)


def _entities(table: _Table, batch: pa.Table, locators: pa.Array, tenant: TenantId, source: SourceId) -> pa.Array:
    mapping = table.choice.mapping
    columns = [table.column([name]) for name in mapping.key]
    keys: list[str] = locators.to_pylist()
    if columns and None not in columns:
        parts = zip(*(batch[column].to_pylist() for column in columns), strict=True)
        keys = [
            f"{mapping.id}:" + "|".join(part) if all(part) else locator
            for part, locator in zip(parts, keys, strict=True)
        ]
    return pa.array([entity_id(tenant, source, mapping.type, key) for key in keys], _TEXT)


def _statements(
    entities: pa.Array, locators: pa.Array, values: pa.Array, *, constant: Mapping[str, str], field: str
) -> pa.Table:
    rows = len(values)
    columns: dict[str, pa.Array] = {name: pa.repeat(text, rows).cast(_TEXT) for name, text in constant.items()}
    columns["entity_id"] = entities
    columns["value"] = columns["raw_value"] = values
    columns["locator"] = pc.binary_join_element_wise(locators, f"&field={field}", "") if field else locators
    columns["valid_from"] = columns["valid_to"] = pa.repeat("", rows).cast(_TEXT)
    return pa.table([columns[name].cast(_TEXT) for name in STATEMENT_COLUMNS], names=list(STATEMENT_COLUMNS))


def _rejects(locators: pa.ChunkedArray) -> pd.DataFrame:
    rows = len(locators)
    constant = {
        "code": "no-statement",
        "reason": "No field of the record that the mapping knows has a value.",
        "disposition": str(Disposition.REJECTED),
    }
    columns = {"locator": locators, **{name: pa.repeat(text, rows) for name, text in constant.items()}}
    frame: pd.DataFrame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _report(table: _Table) -> dict[str, Any]:
    descriptor, choice = table.reader.descriptor, table.choice
    went: dict[str, list[str]] = {}
    by_column = {column: key for key, column in table.columns.items()}
    for rule in choice.mapping.rules:
        for column in (table.column(names) for names in (rule.fields, rule.latitude, rule.longitude) if names):
            if column is not None:
                went.setdefault(by_column[column], []).append(rule.property + (f"@{rule.lang}" if rule.lang else ""))
    return {
        "table": descriptor.name,
        "mapping": choice.mapping.id,
        "version": choice.mapping.version,
        "type": choice.mapping.type,
        "reason": choice.reason,
        "fields": {name: went.get(field_key(name), []) for name in descriptor.fields},
        "unmapped": [] if choice.as_text else [name for name in descriptor.fields if field_key(name) not in went],
    }


def _text(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.cast(_TEXT)


def _folded(values: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.utf8_trim_whitespace(values))
