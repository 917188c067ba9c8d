"""What is promised about parting: every row once, an entity in one part only, parts in order, rows of one in theirs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core import entity_parts
from tenant_pipeline.core.entity_parts import part_bounds, part_on_disk, read_part

_SCHEMA = pa.schema({"entity_id": pa.string(), "number": pa.int64()})
_ENTITIES = st.one_of(
    st.binary(min_size=12, max_size=12).map(lambda digest: f"ent-{digest.hex()}"), st.text(max_size=12)
)


@given(entities=st.lists(_ENTITIES, max_size=60), at_once=st.integers(1, 20), a_part=st.integers(1, 30))
def test_each_row_is_in_one_part_and_what_is_of_one_entity_stays_together_in_order(
    entities: list[str], at_once: int, a_part: int
) -> None:
    rows = pa.table([pa.array(entities, pa.string()), range(len(entities))], _SCHEMA)
    batches = (rows.slice(first, at_once) for first in range(0, len(rows), at_once))
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as folder:
        patched.setattr(entity_parts, "ROWS_A_PART", a_part)
        bounds = part_bounds(len(rows))
        parts = [
            [row for batch in read_part(path) for row in batch.to_pylist()]
            for path in part_on_disk(batches, _SCHEMA, bounds, Path(folder))
        ]
    assert len(parts) == max(1, -(-len(rows) // a_part))
    assert sorted((row["number"], row["entity_id"]) for part in parts for row in part) == list(enumerate(entities))
    assert sum(len({row["entity_id"] for row in part}) for part in parts) == len(set(entities))
    for part in parts:
        for entity in {row["entity_id"] for row in part}:
            numbers = [row["number"] for row in part if row["entity_id"] == entity]
            assert numbers == sorted(numbers)


def test_there_are_never_more_parts_than_files_may_be_open() -> None:
    bounds = part_bounds(10**12)
    assert len(bounds) == entity_parts.MOST_PARTS
    assert bounds == sorted(bounds)
