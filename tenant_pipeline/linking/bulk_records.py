"""Records of a Parquet file as the bulk engines read them: an `id`, a `source`, and columns named by properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.linking.features import Features

RECORDS_A_BATCH = 10_000
PROPERTIES = (
    "name", "alternateName", "address", "addressLocality", "addressRegion", "addressCountry", "containedInPlace",
    "postalCode", "geo", "telephone", "email", "url", "startDate",
)  # fmt: skip
"""The columns that are compared; `type` and `lang` tell a record's type and its language."""


def features_of(row: Mapping[str, Any]) -> Features:
    """One record's features: every column that holds text is what it says of the property of that name."""
    features = Features(str(row["id"]), row.get("type") or "Place")
    for name in PROPERTIES:
        value = row.get(name)
        if value:
            features.add(name, value, row.get("lang") or "en", identifying=False)
    return features


def columns_of(path: Path) -> list[str]:
    """The columns that are read of the records in a file.

    Raises InputError unless the file is Parquet with whole numbers `id`, which rise, and `source`, a `name`, and text
    in every other column that is read.
    """
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
        columns = [field.name for field in file.schema_arrow if field.name in _READ]
        for column, right in _READ.items():
            _require_type(file.schema_arrow, column, right, path)
        last = None
        for batch in file.iter_batches(columns=["id", "source"]):
            ids = batch.column("id")
            if ids.null_count or batch.column("source").null_count:
                raise InputError("A record has no `id` or `source`", where=str(path), remedy="Number all of them.")
            if not _rise(ids) or (last is not None and len(ids) and ids[0].as_py() <= last):
                raise InputError(
                    "The ids do not rise", where=str(path), remedy="Number the records in their order, each once."
                )
            last = ids[-1].as_py() if len(ids) else last
    except (OSError, pa.ArrowInvalid):
        raise _unreadable(path) from None
    return columns


def read_records(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of the file, in its order, a batch in memory at a time. Raises InputError where it is damaged."""
    try:
        for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(RECORDS_A_BATCH, columns=columns):
            yield from batch.to_pylist()
    except (OSError, pa.ArrowInvalid):
        raise _unreadable(path) from None


def _is_whole(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) and type_ != pa.uint64())


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


_READ = {"id": _is_whole, "source": _is_whole, **dict.fromkeys((*PROPERTIES, "type", "lang"), _is_text)}


def _require_type(schema: pa.Schema, column: str, right: Any, path: Path) -> None:
    places = schema.get_all_field_indices(column)
    if not places and column not in ("id", "source", "name"):
        return
    if len(places) != 1 or not right(schema.field(places[0]).type):
        kind = "text" if right is _is_text else "whole numbers"
        raise InputError(
            f"The records need one column `{column}` of {kind}", where=str(path), remedy="Write it so, and start again."
        )


def _rise(ids: pa.Array) -> bool:
    return len(ids) < 2 or bool(pc.all(pc.greater(ids[1:], ids[:-1])).as_py())


def _unreadable(path: Path) -> InputError:
    return InputError("The records cannot be read", where=str(path), remedy="Name a Parquet file that is whole.")
