"""What is promised about parting: every row once, an entity in one part only, parts in order, rows of one in theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import prod
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


@given(
    entities=st.lists(_ENTITIES, max_size=60),
    at_once=st.integers(1, 20),
    a_part=st.integers(1, 30),
    most_files=st.sampled_from([2, 3, 5, 100]),
)
def test_each_row_is_in_one_part_and_what_is_of_one_entity_stays_together_in_order(
    entities: list[str], at_once: int, a_part: int, most_files: int
) -> None:
    rows = pa.table([pa.array(entities, pa.string()), range(len(entities))], _SCHEMA)
    batches = (rows.slice(first, at_once) for first in range(0, len(rows), at_once))
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as folder:
        patched.setattr(entity_parts, "ROWS_A_PART", a_part)
        patched.setattr(entity_parts, "MOST_FILES", most_files)
        bounds = part_bounds(len(rows))
        parts = [
            [row for batch in read_part(path) for row in batch.to_pylist()]
            for path in part_on_disk(batches, _SCHEMA, bounds, Path(folder))
        ]
        left = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert not left
    assert len(parts) == max(1, -(-len(rows) // a_part))
    assert sorted((row["number"], row["entity_id"]) for part in parts for row in part) == list(enumerate(entities))
    assert sum(len({row["entity_id"] for row in part}) for part in parts) == len(set(entities))
    for part in parts:
        for entity in {row["entity_id"] for row in part}:
            numbers = [row["number"] for row in part if row["entity_id"] == entity]
            assert numbers == sorted(numbers)
    hexadecimal = [[row["entity_id"] for row in part if len(row["entity_id"]) == 28] for part in parts]
    in_order = [part for part in hexadecimal if part]
    assert all(max(one)[:10] <= min(other)[:10] for one, other in pairwise(in_order))


@pytest.mark.parametrize("parts", [10, 251, 1_100, 70_000])
def test_no_more_files_are_open_than_may_be_however_many_parts(parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    written = entity_parts._written

    def watched(batches: Iterable[pa.Table], schema: pa.Schema, bounds: Sequence[str], folder: Path) -> list[Path]:
        opened.append(len(bounds))
        return written(batches, schema, bounds, folder)

    monkeypatch.setattr(entity_parts, "_written", watched)
    row = pa.table([["ent-000000000000000000000000"], [1]], _SCHEMA)
    bounds = part_bounds(parts * entity_parts.ROWS_A_PART)
    assert len(bounds) == parts
    assert bounds == sorted(set(bounds))
    with TemporaryDirectory() as folder:
        first = next(part_on_disk([row], _SCHEMA, bounds, Path(folder)))
        assert [batch.to_pylist() for batch in read_part(first)] == [row.to_pylist()]
    assert max(opened) <= entity_parts.MOST_FILES
    assert prod(opened) >= parts


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="says what is mapped on Linux only")
def test_a_part_that_is_read_is_not_mapped_so_that_what_has_been_read_of_it_is_not_held(tmp_path: Path) -> None:
    rows = pa.table([[f"ent-{number:024x}" for number in range(9)], range(9)], _SCHEMA)
    (path,) = part_on_disk([rows, rows], _SCHEMA, part_bounds(len(rows)), tmp_path)
    for _ in read_part(path):
        assert str(path) not in Path("/proc/self/maps").read_text()
