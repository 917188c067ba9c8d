"""Tables of the shape `statements`: each record is a statement already and is taken at its word."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.stage import Disposition
from tenant_pipeline.core.statement import AI_MARK, STATEMENT_COLUMNS, entity_id
from tenant_pipeline.core.tables import StageWriter, TableDescriptor, TableReader
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import Vocabulary

SHAPE = "statements"
METHOD = "map:as-stated@1.0.0"

_TEXT = pa.string()
_FIELDS = ("entity", "type", "property", "value", "raw_value", "lang", "valid_from", "valid_to", "ai")
_REFUSALS = (
    ("statement-incomplete", "The statement names no entity or has no value."),
    ("type-unknown", "The contract has no type of that name."),
    ("property-unknown", "The contract has no property of that name."),
)
"""Why a statement is not taken, by code; the first that holds."""


def is_statements(descriptor: TableDescriptor) -> bool:
    """Whether the table's records are statements."""
    return descriptor.about.get("shape") == SHAPE


def map_statements(
    reader: TableReader, out: StageWriter, *, vocabulary: Vocabulary, tenant: TenantId, source: SourceId
) -> tuple[int, int]:
    """Write the table's statements, and a reject for each record that says none; return how many of each.

    Records that name the same entity speak of one, whatever type each gives it. The datatype is the vocabulary's. A
    record whose field `ai` is `true` is what an AI wrote.
    """
    descriptor = reader.descriptor
    columns = dict(zip(descriptor.fields, descriptor.field_columns, strict=True))
    datatypes = {name: str(definition.datatype) for name, definition in vocabulary.properties.items()}
    types = pa.array(list(vocabulary.types), _TEXT)
    properties, kinds = pa.array(list(datatypes), _TEXT), pa.array(list(datatypes.values()), _TEXT)
    said = refused = 0
    with out.table(descriptor.name, "statements") as writer:
        for frame in reader.batches():
            batch = pa.Table.from_pandas(frame, preserve_index=False)
            fields = {name: _texts(batch, columns.get(name)) for name in _FIELDS}
            known = pc.index_in(fields["property"], properties)
            faults = (
                pc.or_(pc.equal(fields["entity"], ""), pc.equal(fields["value"], "")),
                pc.invert(pc.is_in(fields["type"], types)),
                pc.is_null(known),
            )
            fault = pc.coalesce(*(pc.if_else(each, number, None) for number, each in enumerate(faults)))
            good = pc.is_null(fault)
            made = _made(fields, kinds.take(known), _texts(batch, "locator"), tenant, source).filter(good)
            writer.write(made.to_pandas(types_mapper=pd.ArrowDtype))
            if made.num_rows < batch.num_rows:
                out.reject_many(_rejects(batch["locator"].filter(pc.invert(good)), pc.drop_null(fault)))
            said += made.num_rows
            refused += batch.num_rows - made.num_rows
    return said, refused


def statements_report(descriptor: TableDescriptor) -> dict[str, Any]:
    """What the report `mapping` says of such a table."""
    return {
        "table": descriptor.name,
        "mapping": "as-stated",
        "version": "1.0.0",
        "type": "",
        "reason": "its records are statements",
        "fields": {name: [name] if name in _FIELDS else [] for name in descriptor.fields},
        "unmapped": [name for name in descriptor.fields if name not in (*_FIELDS, "datatype")],
    }


def _made(
    fields: dict[str, pa.Array], datatypes: pa.Array, locators: pa.Array, tenant: TenantId, source: SourceId
) -> pa.Table:
    named = fields["entity"].dictionary_encode()
    entities = pa.array([entity_id(tenant, source, "", key) for key in named.dictionary.to_pylist()], _TEXT)
    columns = {
        **fields,
        "entity_id": entities.take(named.indices),
        "raw_value": pc.if_else(pc.equal(fields["raw_value"], ""), fields["value"], fields["raw_value"]),
        "datatype": datatypes,
        "locator": locators,
        "method": pc.if_else(pc.equal(fields["ai"], "true"), AI_MARK + METHOD, METHOD),
    }
    return pa.table([columns[name] for name in STATEMENT_COLUMNS], names=list(STATEMENT_COLUMNS))


def _texts(batch: pa.Table, column: str | None) -> pa.Array:
    """A column as text, "" for nothing; all "" where the table has no such column."""
    if column is None:
        return pa.repeat("", batch.num_rows).cast(_TEXT)
    return pc.fill_null(batch[column].combine_chunks().cast(_TEXT), "")


def _rejects(locators: pa.ChunkedArray, faults: pa.Array) -> pd.DataFrame:
    codes, reasons = (pa.array(texts, _TEXT) for texts in zip(*_REFUSALS, strict=True))
    frame: pd.DataFrame = pa.table(
        {
            "locator": locators,
            "code": codes.take(faults),
            "reason": reasons.take(faults),
            "disposition": pa.repeat(str(Disposition.REJECTED), len(faults)),
        }
    ).to_pandas(types_mapper=pd.ArrowDtype)
    return frame
