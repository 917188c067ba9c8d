"""Where sources write things differently there is an item, a verdict, a rule and a proposal; never a silent choice."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.conflict.comparators.registry import compare
from tenant_pipeline.core.conflict.comparison import ConflictItem, Verdict
from tenant_pipeline.core.conflict.find import find_conflicts

VOCABULARY = load_contracts().vocabulary


def _said(source: str, value: str, **other: Any) -> dict[str, Any]:
    said = {
        "canonical_id": "can-1",
        "type": "EventVenue",
        "property": "maximumAttendeeCapacity",
        "lang": "",
        "datatype": "number",
        "value": value,
        "raw_value": value,
        "locator": "o00001#row=2",
        "statement_id": f"st-{source}-{value}",
        "source_id": source,
        "authority_tier": 3,
        "origin": "partner-doc",
        "observed_at": "",
    }
    return said | other


def _items(*rows: dict[str, Any]) -> list[ConflictItem]:
    return find_conflicts(pa.Table.from_pylist(list(rows)).to_pandas(types_mapper=pd.ArrowDtype), VOCABULARY)


@pytest.mark.parametrize(
    ("property_", "left", "right", "verdict", "rule"),
    [
        ("name", "Makham Bay", "makham-bay", Verdict.SAME, "names_equal_ignoring_case_spacing_and_punctuation"),
        ("name", "Khet Dusit", "Dusit", Verdict.SAME, "names_equal_ignoring_generic_words"),
        ("name", "Bay Centre", "Bay Center", Verdict.DIFFERS, "names_differ"),
        ("openingDate", "2015", "2015-01-15", Verdict.REFINES, "dates_one_within_the_other"),
        ("openingDate", "2015-01", "2015-02", Verdict.DIFFERS, "dates_differ"),
        ("openingDate", "2017-09", "2017-09-09", Verdict.REFINES, "dates_one_within_the_other"),
        ("floorSize", "5600", "5601", Verdict.SAME, "numbers_within_tolerance"),
        ("floorSize", "5600", "6400", Verdict.DIFFERS, "numbers_differ"),
        ("geo", "7.880000,98.390000", "7.880500,98.390500", Verdict.SAME, "places_within_tolerance"),
        ("geo", "7.880000,98.390000", "7.990000,98.390000", Verdict.DIFFERS, "places_too_far_apart"),
        ("postalCode", "83000", "83100", Verdict.DIFFERS, "codes_differ"),
        (
            "postalCode",
            "83000",
            "⟦PHONE_NUMBER:k1:00000000000000000000000000000000⟧",
            Verdict.INCOMPARABLE,
            "pseudonym_beside_a_plain_value",
        ),
    ],
)
def test_values_are_compared_by_the_rules_of_their_type(
    property_: str, left: str, right: str, verdict: Verdict, rule: str
) -> None:
    for one, other in ((left, right), (right, left)):
        compared = compare(one, other, "en", VOCABULARY.property(property_))
        assert (compared.verdict, compared.rule) == (verdict, rule)


def test_tier_one_proposes_and_a_person_signs() -> None:
    (item,) = _items(_said("a", "2400", authority_tier=1), _said("b", "2500"), _said("c", "2500"))
    assert (item.verdict, item.proposed_value, item.proposed_rule) == (Verdict.DIFFERS, "2400", "authority_tier")
    assert not item.needs_person


def test_tier_one_against_tier_one_always_goes_to_a_person() -> None:
    (item,) = _items(_said("a", "1", authority_tier=1), _said("b", "2", authority_tier=1), _said("c", "2"))
    assert item.needs_person


def test_what_an_ai_said_is_no_witness() -> None:
    (item,) = _items(
        _said("a", "1", observed_at="2025-01-01"),
        _said("b", "2", observed_at="2024-01-01"),
        _said("c", "2", origin="chatgpt", authority_tier=5),
        _said("d", "2", origin="claude", authority_tier=5),
    )
    assert (item.proposed_value, item.proposed_rule) == ("1", "recency")


def test_two_witnesses_outweigh_one_of_the_same_tier() -> None:
    (item,) = _items(_said("a", "1"), _said("b", "2"), _said("c", "2"))
    assert (item.proposed_value, item.proposed_rule) == ("2", "independent_corroboration")


def test_one_source_does_not_conflict_with_itself_and_agreement_is_no_item() -> None:
    assert _items(_said("a", "1"), _said("a", "2")) == []
    assert _items(_said("a", "1"), _said("b", "1")) == []


def test_a_difference_in_writing_alone_is_explained() -> None:
    (item,) = _items(_said("a", "1200", raw_value="1,200"), _said("b", "1200"))
    assert (item.verdict, item.rule) == (Verdict.SAME, "equal_after_standardisation")


def test_a_property_with_many_values_never_conflicts() -> None:
    assert _items(_said("a", "x", property="keywords"), _said("b", "y", property="keywords")) == []


def test_an_absent_value_is_no_candidate() -> None:
    absent = _said("c", "") | {"value": None, "raw_value": None}
    assert _items(_said("a", "1"), absent) == []
    (item,) = _items(_said("a", "1"), _said("b", "2"), absent)
    assert [one.source_id for one in item.candidates] == ["a", "b"]


def test_who_does_not_say_when_is_older_than_who_does() -> None:
    for seen in ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)):
        (item,) = _items(_said("a", "1", observed_at=None), _said("b", "2", observed_at=seen))
        assert (item.proposed_value, item.proposed_rule) == ("2", "recency")
        assert item.candidates[0].observed_at == ""


def test_no_candidates_make_no_items() -> None:
    nobody = pa.Table.from_pylist([_said("a", "1")]).slice(0, 0).to_pandas(types_mapper=pd.ArrowDtype)
    assert find_conflicts(nobody, VOCABULARY) == []


values = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["1", "2", "3"])), max_size=8, unique=True)


@given(said=values, seed=st.integers(0, 1000))
def test_the_order_of_the_candidates_changes_nothing(said: list[tuple[str, str]], seed: int) -> None:
    rows = [_said(source, value) for source, value in said]
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    if rows:
        assert _items(*rows) == _items(*shuffled)


@given(said=values)
def test_saying_again_what_was_said_changes_no_verdict(said: list[tuple[str, str]]) -> None:
    rows = [_said(source, value) for source, value in said]
    if not rows:
        return
    before, after = _items(*rows), _items(*rows, _said("z", rows[0]["value"]))
    if {row["value"] for row in rows} == {rows[0]["value"]}:
        assert after == []
    elif before:
        assert after[0].verdict == before[0].verdict
        assert after[0].candidates_digest != before[0].candidates_digest, "a sign-off would be reopened"
