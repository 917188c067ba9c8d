"""Every value of a table either went to a statement or is counted as having gone nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.mapping.nothing import NULL_WORDS, says_something
from tenant_pipeline.core.mapping.stage import map_records
from tenant_pipeline.core.tables import BATCH_ROWS
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tests.unit.pii.memory_stage import MemoryStage, records_stage

CONTRACTS = load_contracts()


def _report(screened: MemoryStage) -> dict[str, Any]:
    out = MemoryStage()
    map_records(
        screened,
        out,
        mappings=CONTRACTS.mappings,
        vocabulary=CONTRACTS.vocabulary,
        tenant=TenantId("a-tenant"),
        source=SourceId("src-0123456789abcdef"),
        origin="partner-doc",
    )
    document: dict[str, Any] = out.document("mapping")
    return document


def test_each_field_says_how_many_values_went_where() -> None:
    document = _report(
        records_stage({"name": ["A", "B", ""], "capacity": ["1", "-", None], "colour": ["red", "n/a", "blue"]})
    )
    (table,) = document["tables"]
    assert table["field_values"] == [
        {"field": "name", "properties": ["name"], "values": 2, "mapped": 2, "unmapped": 0},
        {"field": "capacity", "properties": ["maximumAttendeeCapacity"], "values": 1, "mapped": 1, "unmapped": 0},
        {"field": "colour", "properties": [], "values": 2, "mapped": 0, "unmapped": 2},
    ]
    assert document["totals"] == {
        "fields_mapped": 2,
        "fields": 3,
        "values_mapped": 3,
        "values_unmapped": 2,
        "values": 5,
        "values_as_text": 0,
    }


def test_values_kept_as_text_are_counted_and_told_apart() -> None:
    document = _report(records_stage({"colour": ["red", "-"], "shade": ["dark", None]}))
    assert document["totals"] == {
        "fields_mapped": 0,
        "fields": 2,
        "values_mapped": 2,
        "values_unmapped": 0,
        "values": 2,
        "values_as_text": 2,
    }


def test_a_latitude_without_its_longitude_went_nowhere() -> None:
    document = _report(records_stage({"name": ["A", "B"], "lat": ["7.8", "7.9"], "lng": ["98.3", None]}))
    by_field = {each["field"]: each["unmapped"] for each in document["tables"][0]["field_values"]}
    assert by_field == {"name": 0, "lat": 1, "lng": 0}


def test_a_code_that_the_other_table_does_not_have_went_nowhere() -> None:
    document = _report(
        records_stage({"id": ["66", "67"], "name_th": ["ก", "ข"], "name_en": ["A", "B"], "geography_id": ["6", "6"]})
    )
    by_field = {each["field"]: each["unmapped"] for each in document["tables"][0]["field_values"]}
    assert by_field == {"id": 2, "name_th": 0, "name_en": 0, "geography_id": 2}


def test_a_full_batch_of_records_with_several_statements_each_is_written_in_bounded_frames() -> None:
    count = BATCH_ROWS // 2 + 1
    document = _report(records_stage({"name": ["A"] * count, "capacity": ["1"] * count, "zip": ["83000"] * count}))
    assert document["totals"]["values_mapped"] == 3 * count  # the stage in memory refuses a frame above BATCH_ROWS


@pytest.mark.parametrize("word", NULL_WORDS)
def test_words_for_nothing_are_no_values(word: str) -> None:
    assert not says_something(f" {word.upper()} ")
    assert _report(records_stage({"name": [word, "A"]}))["totals"]["values"] == 1


FIELDS = st.lists(
    st.sampled_from(
        ["name", "name_th", "lat", "lng", "capacity", "colour", "id", "name_en", "province_id", "start date"]
    ),
    min_size=1,
    max_size=7,
    unique=True,
)
CELL = st.sampled_from([None, "", " ", "-", "N/A", "A", "1", "8301", "ไม่มี"])


@settings(max_examples=80, deadline=None)
@given(data=st.data(), fields=FIELDS, batch=st.integers(1, 4))
def test_no_value_is_lost_or_invented(data: st.DataObject, fields: list[str], batch: int) -> None:
    rows = data.draw(st.lists(st.lists(CELL, min_size=len(fields), max_size=len(fields)), min_size=1, max_size=6))
    columns = dict(zip(fields, zip(*rows, strict=True), strict=True))
    document = _report(records_stage(columns, batch=batch))
    sums = document["totals"]
    values = sum(cell is not None and says_something(cell) for row in rows for cell in row)
    assert sums["values"] == values
    assert sums["values_mapped"] + sums["values_unmapped"] == values
    for each in document["tables"][0]["field_values"]:
        assert each["mapped"] + each["unmapped"] == each["values"]
        assert min(each["mapped"], each["unmapped"]) >= 0
