"""A mapping applied to a table: batch after batch of records, the statements they become, and the cells they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.mapping.choose import Choice, choose
from tenant_pipeline.core.mapping.mapping import Lookup, MappingRules, field_key
from tenant_pipeline.core.mapping.nothing import saying, says_something
from tenant_pipeline.core.mapping.record_identity import record_names
from tenant_pipeline.core.mapping.statements import is_statements
from tenant_pipeline.core.statement import AI_MARK, STATEMENT_COLUMNS, entity_id
from tenant_pipeline.core.tables import StageReader, TableReader
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import Vocabulary

LOOKUP_ROWS = 100_000
"""A table that values are looked up in has at most so many rows."""
RECORD = "record"
"""The column of a batch's statements that says which record of the batch each is of."""

_TEXT = pa.string()


@dataclass(frozen=True)
class MappedTable:
    """A table with the mapping chosen for it, and the column of each of its fields by the fields' keys."""

    reader: TableReader
    choice: Choice
    columns: Mapping[str, str]

    def column(self, names: Sequence[str]) -> str | None:
        """The column of the first of these fields that the table has."""
        return next((self.columns[field_key(name)] for name in names if field_key(name) in self.columns), None)

    @property
    def key(self) -> list[str]:
        """The columns that together name an entity; none where the table does not have them all."""
        columns = [self.column([name]) for name in self.choice.mapping.key]
        return [column for column in columns if column is not None] if None not in columns else []

    @property
    def keyed(self) -> bool:
        """Whether rows are told apart by a key: two with different keys are two things."""
        return bool(self.key)

    @property
    def segments(self) -> bool:
        """Whether the records are segments of a text."""
        return self.reader.descriptor.about.get("shape") == "segments"


@dataclass(frozen=True)
class MappedBatch:
    """A batch of records and what became of it.

    `statements` have the statements' columns and RECORD. `speaking` says of each record whether it has any
    statement. `used` holds for each column of the batch that some rule reads the records for which it did. Of
    `without_key` records the key, or a part of it, says nothing, or the table has none.
    """

    records: pa.Table
    statements: pa.Table
    speaking: pa.Array
    used: Mapping[str, pa.Array]
    entities: pa.Array
    without_key: int


class Application:
    """The mappings of a vocabulary applied to the records of one source."""

    def __init__(
        self,
        screened: StageReader,
        *,
        mappings: MappingRules,
        vocabulary: Vocabulary,
        tenant: TenantId,
        source: SourceId,
        origin: str,
    ) -> None:
        self._vocabulary = vocabulary
        self._tenant, self._source = tenant, source
        self._otherwise = mappings.otherwise_property
        self.tables = [
            _prepare(reader, mappings, vocabulary, origin)
            for reader in screened.tables("records")
            if not is_statements(reader.descriptor)
        ]
        self._lookups = _Lookups(self.tables)

    def batches(self, table: MappedTable) -> Iterator[MappedBatch]:
        """Every batch of a table, mapped. Raises InputError when a table to look up in is too large."""
        for frame in table.reader.batches():
            batch = pa.Table.from_pandas(frame, preserve_index=False)
            yield self._map(table, batch)

    def _map(self, table: MappedTable, batch: pa.Table) -> MappedBatch:
        mapping = table.choice.mapping
        locators = _text(batch["locator"])
        entities, without_key = _entities(table, batch, self._tenant, self._source)
        numbers = pa.array(range(batch.num_rows), pa.int64())
        method = f"{AI_MARK if table.reader.descriptor.about.get('ai') else ''}map:{mapping.id}@{mapping.version}"
        speaking = pa.array([False] * batch.num_rows, pa.bool_())
        used: dict[str, pa.Array] = {}
        pieces = []

        def add(property_: str, lang: str, values: pa.Array, said: pa.Array, field: str, how: str) -> None:
            pieces.append(
                _statements(
                    entities.filter(said),
                    locators.filter(said),
                    values.filter(said),
                    numbers.filter(said),
                    constant={
                        "type": mapping.type,
                        "property": property_,
                        "lang": lang,
                        "datatype": str(self._vocabulary.property(property_).datatype),
                        "method": how,
                    },
                    field=field,
                )
            )

        for found in self._values(table, batch):
            said = saying(found.values)
            speaking = pc.or_(speaking, said)
            for column in found.columns:
                used[column] = pc.or_(used[column], said) if column in used else said
            add(found.property, found.lang, found.values, said, found.field, method)
        for property_, value in mapping.constants.items():
            add(property_, "", pa.array([value] * batch.num_rows, _TEXT), speaking, "", f"{method}:constant")
        return MappedBatch(batch, pa.concat_tables([_NO_STATEMENTS, *pieces]), speaking, used, entities, without_key)

    def _values(self, table: MappedTable, batch: pa.Table) -> Iterator[_Found]:
        """What each rule finds in the batch."""
        descriptor = table.reader.descriptor
        if table.choice.as_text:
            yield _Found(self._otherwise, "", "", descriptor.field_columns, _as_text(table, batch))
            return
        names = dict(zip(descriptor.field_columns, descriptor.fields, strict=True))
        for rule in table.choice.mapping.rules:
            if rule.latitude:
                latitude, longitude = table.column(rule.latitude), table.column(rule.longitude)
                if latitude is not None and longitude is not None:
                    pair = pc.binary_join_element_wise(_said(batch[latitude]), _said(batch[longitude]), ",")
                    field = f"{names[latitude]},{names[longitude]}"
                    yield _Found(rule.property, rule.lang, field, (latitude, longitude), pair)
                continue
            column = table.column(rule.fields)
            if column is None:
                continue
            as_it_is = rule.lookup is None and not rule.first and rule.template == "{value}"
            values = _text(batch[column]) if as_it_is else _said(batch[column])
            if rule.lookup is not None:
                values = self._lookups.replace(values, rule.lookup)
            if rule.first:
                values = pc.utf8_slice_codeunits(values, 0, rule.first)
            if rule.template != "{value}":
                before, after = rule.template.split("{value}")
                values = pc.binary_join_element_wise(before, values, after, "")
            yield _Found(rule.property, rule.lang, names[column], (column,), values)


@dataclass(frozen=True)
class _Found:
    """What a rule finds in a batch: a value or null for each record, from these columns."""

    property: str
    lang: str
    field: str
    columns: tuple[str, ...]
    values: pa.Array


_NO_STATEMENTS = pa.schema([*((name, _TEXT) for name in STATEMENT_COLUMNS), (RECORD, pa.int64())]).empty_table()


def _prepare(reader: TableReader, mappings: MappingRules, vocabulary: Vocabulary, origin: str) -> MappedTable:
    descriptor = reader.descriptor
    choice = choose(mappings, descriptor.fields, str(descriptor.about.get("shape", "records")), origin)
    allowed = vocabulary.properties_of(choice.mapping.type)
    rules = tuple(rule for rule in choice.mapping.rules if rule.property in allowed)
    columns: dict[str, str] = {}
    for name, column in zip(descriptor.fields, descriptor.field_columns, strict=True):
        columns.setdefault(field_key(name), column)
    return MappedTable(reader, replace(choice, mapping=replace(choice.mapping, rules=rules)), columns)


class _Lookups:
    """Values looked up in other tables of the source; each dictionary is built once."""

    def __init__(self, tables: Sequence[MappedTable]) -> None:
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
                    if isinstance(key, str) and isinstance(value, str) and says_something(value):
                        pairs.setdefault(key, value[: lookup.first] if lookup.first else value)
        return pa.table({"match": pa.array(list(pairs), _TEXT), "take": pa.array(list(pairs.values()), _TEXT)})


def _as_text(table: MappedTable, batch: pa.Table) -> pa.Array:
    """Each record whole, as `field: value; field: value`, for a table of which no field is known."""
    texts: list[str | None] = []
    descriptor = table.reader.descriptor
    columns = [batch[column].to_pylist() for column in descriptor.field_columns]
    for row in zip(*columns, strict=True) if columns else ():
        said = [f"{name}: {value}" for name, value in zip(descriptor.fields, row, strict=True) if value]
        texts.append("; ".join(said) or None)
    return pa.array(texts, _TEXT) if columns else pa.nulls(batch.num_rows, _TEXT)


def _entities(table: MappedTable, batch: pa.Table, tenant: TenantId, source: SourceId) -> tuple[pa.Array, int]:
    """The entity of each record, and of how many records no key names it."""
    mapping = table.choice.mapping
    keys: list[str | None] = [None] * batch.num_rows
    if table.keyed:
        parts = [_text(batch[column]) for column in table.key]
        joined = pc.binary_join_element_wise(f"{mapping.id}:", pc.binary_join_element_wise(*parts, "|"), "")
        keys = pc.if_else(reduce(pc.and_, map(saying, parts)), joined, pa.scalar(None, _TEXT)).to_pylist()
    unnamed = [number for number, key in enumerate(keys) if key is None]
    if unnamed:
        records = batch.take(unnamed) if table.keyed else batch
        names = record_names(records, table.reader.descriptor.fields, segments=table.segments and not table.keyed)
        for number, name in zip(unnamed, names, strict=True):
            keys[number] = name
    return pa.array([entity_id(tenant, source, mapping.type, str(key)) for key in keys], _TEXT), len(unnamed)


def _statements(
    entities: pa.Array,
    locators: pa.Array,
    values: pa.Array,
    numbers: pa.Array,
    *,
    constant: Mapping[str, str],
    field: str,
) -> pa.Table:
    rows = len(values)
    columns: dict[str, pa.Array] = {name: pa.repeat(text, rows).cast(_TEXT) for name, text in constant.items()}
    columns["entity_id"] = entities
    columns["value"] = columns["raw_value"] = values
    columns["locator"] = pc.binary_join_element_wise(locators, f"&field={field}", "") if field else locators
    columns["valid_from"] = columns["valid_to"] = pa.repeat("", rows).cast(_TEXT)
    made = pa.table([columns[name].cast(_TEXT) for name in STATEMENT_COLUMNS], names=list(STATEMENT_COLUMNS))
    return made.append_column(RECORD, numbers)


def _text(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.cast(_TEXT)


def _said(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column's texts without those that say nothing, which what is made of them would no longer show."""
    values = _text(column)
    return pc.if_else(saying(values), values, pa.scalar(None, _TEXT))
