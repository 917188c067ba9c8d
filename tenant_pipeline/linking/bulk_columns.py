"""Columns of many records as Arrow holds them: prepared from features, and with their rarities counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import Model
from tenant_pipeline.linking.words import Rarities

_ARROW = {
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT[]": pa.list_(pa.int64()),
    "BIGINT[][]": pa.list_(pa.list_(pa.int64())),
    "STRUCT(latitude DOUBLE, longitude DOUBLE, tolerance DOUBLE)[]": pa.list_(
        pa.struct([("latitude", pa.float64()), ("longitude", pa.float64()), ("tolerance", pa.float64())])
    ),
}


def prepared_columns(records: Sequence[Features], model: Model) -> dict[str, pa.Array]:
    """The model's columns of the records, by name; null where a record has no value."""
    prepared = [model.prepare(each) for each in records]
    return {name: pa.array([each.get(name) for each in prepared], _ARROW[kind]) for name, kind in model.columns.items()}


def reweighed_columns(batch: pa.RecordBatch, model: Model, rarities: Rarities) -> pa.Table:
    """The batch with the rarities that were counted in its weighed columns."""
    table = pa.Table.from_batches([batch]).combine_chunks()
    for name in model.weighed:
        table = _replaced(table, name, _reweighed_list(_only_chunk(table, name), rarities))
    for name in model.weighed_lists:
        table = _replaced(table, name, _reweighed_lists(_only_chunk(table, name), rarities))
    return table


def _only_chunk(table: pa.Table, name: str) -> pa.ListArray:
    chunked = table.column(name)
    return chunked.chunk(0) if chunked.num_chunks else pa.array([], chunked.type)


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _reweighed_list(values: pa.ListArray, rarities: Rarities) -> pa.ListArray:
    words = pa.array(rarities.all_reweighed(values.flatten().to_numpy(zero_copy_only=False)))
    return pa.ListArray.from_arrays(_offsets(values), words, mask=values.is_null())


def _reweighed_lists(values: pa.ListArray, rarities: Rarities) -> pa.ListArray:
    return pa.ListArray.from_arrays(
        _offsets(values), _reweighed_list(values.flatten(), rarities), mask=values.is_null()
    )


def _offsets(values: pa.ListArray) -> pa.Array:
    """Offsets from zero over the flattened values, which leave out what stands under nulls."""
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    return pa.array(np.concatenate([[0], np.cumsum(lengths.to_numpy(zero_copy_only=False))]), pa.int32())
