"""A record without a key is named by what it says: whatever comes before it, and whatever order its fields are in."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.mapping import record_identity
from tenant_pipeline.core.mapping.nothing import saying
from tenant_pipeline.core.mapping.record_identity import record_names
from tenant_pipeline.core.tables import field_column

Row = tuple[str | None, ...]

FIELDS = ("name", "postcode", "remark")
_CELLS = st.none() | st.text(st.sampled_from("a1 \n-:ก"), max_size=6)
_ROWS = st.lists(st.tuples(*([_CELLS] * len(FIELDS))), max_size=12)


def _names(
    rows: Sequence[Row], fields: Sequence[str] = FIELDS, places: Sequence[str] = (), segments: bool = False
) -> list[str]:
    columns = {
        "locator": pa.array(places or [f"o00001#row={number}" for number in range(2, len(rows) + 2)], pa.string()),
        **{field_column(at): pa.array([row[at] for row in rows], pa.string()) for at in range(len(fields))},
    }
    return record_names(pa.table(columns), fields, segments=segments)


def _said(row: Row) -> Row:
    """A row with nothing where it says nothing."""
    says = saying(pa.array(row, pa.string())).to_pylist()
    return tuple(cell if said else None for cell, said in zip(row, says, strict=True))


@given(_ROWS, st.data())
def test_moved_rows_keep_their_names(rows: list[Row], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    names = _names(rows)
    assert _names([rows[at] for at in order]) == [names[at] for at in order]


@given(_ROWS, _ROWS, st.integers(0, 12))
def test_rows_put_between_others_rename_none_of_them(rows: list[Row], new: list[Row], at: int) -> None:
    before, after = rows[:at], rows[at:]
    names = _names([*before, *new, *after])
    assert [*names[: len(before)], *names[len(before) + len(new) :]] == _names(rows)


@given(_ROWS)
def test_rows_have_one_name_where_they_say_the_same_and_only_there(rows: list[Row]) -> None:
    assert len(set(_names(rows))) == len({_said(row) for row in rows})


@given(_ROWS, st.permutations(range(len(FIELDS))))
def test_the_order_of_the_fields_and_fields_that_say_nothing_make_no_difference(
    rows: list[Row], order: list[int]
) -> None:
    turned = [(*(row[at] for at in order), "-") for row in rows]
    assert _names(turned, (*(FIELDS[at] for at in order), "new")) == _names(rows)


def test_values_of_fields_with_one_name_are_not_taken_for_one_another() -> None:
    assert len(set(_names([("x", None), (None, "x"), ("x", "x")], ("Name", "name")))) == 3


@pytest.mark.parametrize(
    "place", ["message=17&table=1&line=2", "/paths/~1halls/get", "/", "/halls/north", "sheet=A&cell=B"]
)
def test_a_place_that_is_a_name_stays_the_name_of_what_is_there(place: str) -> None:
    assert _names([("before",) * 3, ("after",) * 3], places=[f"o00001#{place}"] * 2) == [f"o00001#{place}"] * 2


@pytest.mark.parametrize(
    "place", ["item=3", "/features/3", "sheet=A&row=3", "row=3&column=1990", "document=3&pointer=/a", "page=9&table=2"]
)
def test_a_place_that_counts_names_nothing(place: str) -> None:
    (name,) = _names([("Hall", "83000", None)], places=[f"o00001#{place}"])
    assert name == _names([("Hall", "83000", None)])[0]


def test_segments_are_named_by_their_place() -> None:
    assert _names([("one", None, None)], places=["o00001#page=3"], segments=True) == ["o00001#page=3"]


def test_records_are_named_alike_however_many_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [(f"Hall {number}", None, "x" * number) for number in range(9)]
    expected = _names(rows)
    monkeypatch.setattr(record_identity, "ROWS_AT_ONCE", 2)
    assert _names(rows) == expected
