"""A dry run says what would change, record by record, and nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.mapping.difference import MOST_SAMPLES, TableChange, difference
from tenant_pipeline.core.mapping.mapping import Mapping, MappingRules, Rule
from tenant_pipeline.core.mapping.stage import map_records
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tests.unit.pii.memory_stage import MemoryStage, records_stage

CONTRACTS = load_contracts()
TENANT, SOURCE = TenantId("a-tenant"), SourceId("src-0123456789abcdef")


def _accepting(*rules: Rule, type_: str = "EventVenue", fields: tuple[str, ...]) -> MappingRules:
    mapping = Mapping("fields-test", "1.0.0", type_, "records", (), fields, (), (), rules, {})
    return replace(CONTRACTS.mappings, accepted=(mapping,))


def _difference(screened: MemoryStage, after: MappingRules) -> TableChange:
    (change,) = difference(
        screened,
        before=CONTRACTS.mappings,
        after=after,
        vocabulary=CONTRACTS.vocabulary,
        tenant=TENANT,
        source=SOURCE,
        origin="partner-doc",
    )
    return change


def _said(screened: MemoryStage, rules: MappingRules) -> Counter[str]:
    """How many statements the stage itself writes for each property and language."""
    out = MemoryStage()
    map_records(
        screened,
        out,
        mappings=rules,
        vocabulary=CONTRACTS.vocabulary,
        tenant=TENANT,
        source=SOURCE,
        origin="partner-doc",
    )
    said = pd.concat([frame for table in out.tables("statements") for frame in table.batches()])
    return Counter(
        f"{property_}@{lang}" if lang else property_
        for property_, lang in zip(said["property"], said["lang"], strict=True)
    )


def test_added_removed_changed_and_unchanged_statements_are_told_apart() -> None:
    screened = records_stage(
        {
            "name": ["A", "B", "-"],
            "hall_code": ["x", "B", None],
            "capacity": ["1", "2", "3"],
            "colour": ["red", "", "blue"],
        }
    )
    after = _accepting(
        Rule("name", ("hall_code",)),
        Rule("maximumAttendeeCapacity", ("capacity",)),
        Rule("keywords", ("colour",)),
        fields=("name", "hall_code", "capacity", "colour"),
    )
    told = _difference(screened, after).as_json()
    assert told["mapping"] == {"before": "by-synonyms@1.0.0", "after": "fields-test@1.0.0"}
    assert told["properties"]["name"] == {
        "added": 0,
        "removed": 0,
        "changed": 1,
        "unchanged": 1,
        "records": 1,
        "samples": ["o00001#row=2"],
    }
    assert told["properties"]["keywords"] == {
        "added": 2,
        "removed": 0,
        "changed": 0,
        "unchanged": 0,
        "records": 2,
        "samples": ["o00001#row=2", "o00001#row=4"],
    }
    assert told["properties"]["maximumAttendeeCapacity"]["unchanged"] == 3
    assert (told["records"], told["records_affected"], told["entities_renamed"]) == (3, 2, 0)


def test_a_change_of_the_entity_type_is_told_with_the_records_whose_entities_get_other_ids() -> None:
    screened = records_stage({"name": ["A", "B"], "start date": ["2026-01-01", ""]})
    change = _difference(screened, _accepting(Rule("name", ("name",)), fields=("name", "start date")))
    assert (change.type_before, change.type_after) == ("Event", "EventVenue")
    assert (change.entities, change.records_affected) == (2, 2)
    assert change.properties["startDate"].removed == 1


def test_records_that_begin_or_cease_to_speak_are_counted() -> None:
    screened = records_stage({"name": ["A", ""], "colour": ["", "red"]})
    change = _difference(screened, _accepting(Rule("keywords", ("colour",)), fields=("name", "colour")))
    assert (change.records_gained, change.records_lost) == (1, 1)


def test_a_mapping_for_other_tables_changes_nothing() -> None:
    screened = records_stage({"name": ["A"], "capacity": ["1"]})
    change = _difference(screened, _accepting(Rule("name", ("other",)), fields=("other",)))
    assert not change.changes
    assert change.as_json()["properties"] == {}


def test_samples_are_few_and_from_the_first_records_of_all_batches() -> None:
    screened = records_stage({"name": ["A"] * 40, "colour": ["red"] * 40}, batch=3)
    change = _difference(
        screened, _accepting(Rule("name", ("name",)), Rule("keywords", ("colour",)), fields=("name", "colour"))
    )
    assert change.properties["keywords"].records == 40
    assert change.properties["keywords"].samples == [f"o00001#row={row}" for row in range(2, 2 + MOST_SAMPLES)]


CELLS = st.lists(st.tuples(*[st.sampled_from([None, "", "-", "a", "b", "1"])] * 3), min_size=1, max_size=12)
TARGETS = st.lists(st.sampled_from(["name", "url", "keywords", "telephone", "maximumAttendeeCapacity"]), max_size=4)


@settings(max_examples=60, deadline=None)
@given(rows=CELLS, targets=TARGETS, batch=st.integers(1, 5))
def test_the_counts_are_those_of_the_stage_itself(
    rows: list[tuple[str | None, ...]], targets: list[str], batch: int
) -> None:
    fields = ("name", "web", "colour")
    screened = records_stage(dict(zip(fields, zip(*rows, strict=True), strict=True)), batch=batch)
    after = _accepting(
        *(Rule(property_, (fields[place % 3],)) for place, property_ in enumerate(targets)), fields=fields
    )
    change = _difference(screened, after)
    was, would_be = _said(screened, CONTRACTS.mappings), _said(screened, after)
    for name in {*was, *would_be}:
        found = change.properties[name]
        assert was[name] == found.unchanged + found.changed + found.removed
        assert would_be[name] == found.unchanged + found.changed + found.added
