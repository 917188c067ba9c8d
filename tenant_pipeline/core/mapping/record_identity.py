"""What names the entity of a record that no key tells apart: what the record says, or where its place is a name."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.mapping.mapping import field_key
from tenant_pipeline.core.mapping.nothing import saying
from tenant_pipeline.core.tables import field_column

ROWS_AT_ONCE = 4_096
"""The texts of so many records are held beside the batch."""
_TEXT = pa.large_string()
_COUNTED = r"[#&/](?:[^=&/]*=)?[0-9]+(?:[&/]|$)"
"""In a place, a part that is a number: the record's turn among others, which changes with what comes before it."""
_IN_A_MESSAGE = r"#message="
"""A message has an id, and within it nothing moves: who writes it anew gives it another."""


def record_names(records: pa.Table, fields: Sequence[str], *, segments: bool) -> list[str]:
    """For each record the text that names its entity within its source.

    Records are named by what they say, so that one that moves stays what it is, and those that say exactly the same
    are one. The order of the fields, and fields in which a record says nothing, make no difference. `segments` of a
    text, and records whose place is made of names alone, are named by their place: it is what they are.
    """
    named: list[str] = []
    for start in range(0, records.num_rows, ROWS_AT_ONCE):
        part = records.slice(start, ROWS_AT_ONCE)
        places = part["locator"].combine_chunks().cast(pa.string())
        named += (places if segments else _names(part, places, fields)).to_pylist()
    return named


def _names(records: pa.Table, places: pa.Array, fields: Sequence[str]) -> pa.Array:
    counted = pc.and_(
        pc.match_substring_regex(places, _COUNTED), pc.invert(pc.match_substring_regex(places, _IN_A_MESSAGE))
    )
    return pc.if_else(counted, _contents(records, fields), places.cast(_TEXT))


def _contents(records: pa.Table, fields: Sequence[str]) -> pa.Array:
    """What each record says, each value framed by its field and its length, so that no two records run into one."""
    pieces = [pa.repeat(pa.scalar("content", _TEXT), records.num_rows)]
    keys = [field_key(name) for name in fields]
    for key, same, position in sorted((key, keys[:position].count(key), position) for position, key in enumerate(keys)):
        values = records[field_column(position)].combine_chunks().cast(pa.string())
        texts = values.cast(_TEXT)
        framed = pc.binary_join_element_wise(
            pa.scalar(f"{key} {same} ", _TEXT), pc.utf8_length(texts).cast(_TEXT), texts, pa.scalar(" ", _TEXT)
        )
        pieces.append(pc.if_else(saying(values), framed, pa.scalar(None, _TEXT)))
    return pc.binary_join_element_wise(*pieces, pa.scalar("\n", _TEXT), null_handling="skip")
