"""Documents, differences, versions and search pieces: what a release promises its readers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.release.difference import Change, differences, label_of
from tenant_pipeline.core.release.document import entity_documents
from tenant_pipeline.core.release.search_grams import fold_for_search, search_grams
from tenant_pipeline.core.release.version import ChangeCounts, count_changes, next_version


def fact(
    entity: str, prop: str, value: str, lang: str = "", source: str = "a", tier: int = 2, **more: Any
) -> dict[str, Any]:
    return {
        "canonical_id": entity, "entity_type": "Place", "property": prop, "lang": lang, "value": value,
        "datatype": "text", "valid_from": "", "valid_to": "", "source_id": source, "source_title": source.upper(),
        "origin": "press", "authority_tier": tier, "rights": "", "locator": "row 1", "method": "m", "observed_at": None,
        **more,
    }  # fmt: skip


def chosen(
    entity: str, prop: str, value: str | None, decision: str = "proposal", *, signed: bool = False
) -> dict[str, Any]:
    return {
        "canonical_id": entity,
        "property": prop,
        "lang": "",
        "value": value,
        "decision": decision,
        "signed": signed,
    }


def test_agreeing_values_stand_and_a_dispute_has_the_value_that_was_chosen() -> None:
    facts = [
        fact("a", "capacity", "100", source="x"),
        fact("a", "capacity", "200", source="y"),
        fact("a", "name", "Hall", "en", source="x", tier=3, entity_type="Thing"),
        fact("a", "name", "Hall", "en", source="y", tier=1, entity_type="EventVenue"),
        fact("b", "name", "Other", "en"),
    ]
    hall, other = entity_documents(facts, [chosen("a", "capacity", "200", "candidate", signed=True)])
    assert hall.type == "EventVenue"
    capacity, name = hall.values
    assert (capacity["value"], capacity["rule"], capacity["decided"], capacity["others"]) == (
        "200",
        "candidate",
        True,
        1,
    )
    assert [each["source_id"] for each in capacity["sources"]] == ["y"]
    assert [each["source_id"] for each in name["sources"]] == ["x", "y"]
    assert (name["rule"], name["others"]) == ("agreed", 0)
    assert other.content["names"] == {"en": ["Other"]}


def test_a_value_that_a_person_pinned_stands_without_a_source_and_a_pseudonym_does_not_stand() -> None:
    facts = [
        fact("a", "capacity", "100"),
        fact("a", "email", "⟦EMAIL_ADDRESS:k1:0123456789abcdef0123456789abcdef⟧"),
        fact("b", "email", "⟦EMAIL_ADDRESS⟧"),
    ]
    (document,) = entity_documents(facts, [chosen("a", "capacity", "150", "human-pin", signed=True)])
    (value,) = document.values
    assert (value["value"], value["rule"], value["sources"], value["datatype"]) == ("150", "human-pin", [], "text")


def test_a_value_that_holds_for_two_periods_is_there_for_each_agreed_or_chosen() -> None:
    early, late = {"valid_from": "2010", "valid_to": "2014"}, {"valid_from": "2020"}
    facts = [
        fact("a", "capacity", "500", source="x", **early),
        fact("a", "capacity", "500", source="y", **early),
        fact("a", "capacity", "500", source="x", **late),
        fact("a", "capacity", "700", source="x", valid_from="2015", valid_to="2019"),
        fact("a", "name", "Hall", "en", **early),
        fact("a", "name", "Hall", "en", **late),
    ]
    for resolved in ([], [chosen("a", "capacity", "500"), chosen("a", "capacity", "700")]):
        (document,) = entity_documents(facts, resolved)
        assert document.content["names"] == {"en": ["Hall"]}
        assert [
            (each["value"], each["valid_from"], each["valid_to"], [source["source_id"] for source in each["sources"]])
            for each in document.values
            if each["property"] == "capacity"
        ] == [
            ("500", "2010", "2014", ["x", "y"]),
            ("500", "2020", "", ["x"]),
            ("700", "2015", "2019", ["x"]),
        ]


def test_another_period_of_a_value_is_a_difference() -> None:
    old, new = ([fact("a", "capacity", "500", valid_from=since)] for since in ("2010", "2011"))
    before, after = (iter([each.content for each in entity_documents(said, [])]) for said in (old, new))
    (change,) = differences(before, after)
    (capacity,) = change.as_json()["properties"]
    assert (capacity["before"], capacity["after"]) == (
        [{"value": "500", "valid_from": "2010", "valid_to": "", "sources": ["A"]}],
        [{"value": "500", "valid_from": "2011", "valid_to": "", "sources": ["A"]}],
    )


def test_an_entity_that_is_of_another_type_has_changed_and_makes_a_major_version() -> None:
    old, new = ([fact("a", "name", "Hall", entity_type=kind)] for kind in ("Place", "EventVenue"))
    before, after = (iter([each.content for each in entity_documents(said, [])]) for said in (old, new))
    (change,) = differences(before, after)
    (type_,) = change.properties
    assert (type_.property, type_.change, type_.before[0].value, type_.after[0].value) == (
        "@type",
        "changed",
        "Place",
        "EventVenue",
    )
    assert next_version("1.4.2", count_changes([change])) == "2.0.0"


NAMES = st.sampled_from("abcde")
DRAFTS = st.dictionaries(
    NAMES, st.dictionaries(st.sampled_from(["name", "capacity"]), st.sampled_from(["1", "2"]), min_size=1)
)


def released(draft: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    facts = [fact(entity, prop, said[prop]) for entity, said in sorted(draft.items()) for prop in sorted(said)]
    return [each.content for each in entity_documents(facts, [])]


@given(DRAFTS, DRAFTS)
def test_the_difference_of_two_releases_is_what_turns_the_one_into_the_other(
    old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]
) -> None:
    found = {each.canonical_id: each for each in differences(iter(released(old)), iter(released(new)))}
    assert {entity for entity, each in found.items() if each.change is Change.ADDED} == new.keys() - old.keys()
    assert {entity for entity, each in found.items() if each.change is Change.REMOVED} == old.keys() - new.keys()
    turned = {entity: dict(said) for entity, said in old.items()}
    for entity, each in found.items():
        for one in each.properties:
            if one.change is Change.REMOVED:
                del turned[entity][one.property]
            else:
                turned.setdefault(entity, {})[one.property] = one.after[0].value
    assert {entity: said for entity, said in turned.items() if said} == new
    assert count_changes(iter(found.values())).nothing == (old == new)


@pytest.mark.parametrize(
    ("counts", "version"),
    [
        (ChangeCounts(properties_changed=5), "1.4.3"),
        (ChangeCounts(entities_added=1, properties_changed=5), "1.5.0"),
        (ChangeCounts(properties_added=1), "1.5.0"),
        (ChangeCounts(entities_removed=1, entities_added=9), "2.0.0"),
        (ChangeCounts(properties_removed=1), "2.0.0"),
    ],
)
def test_what_takes_away_is_a_major_version_what_adds_a_minor_one(counts: ChangeCounts, version: str) -> None:
    assert next_version("1.4.2", counts) == version


def test_a_label_is_english_else_thai_else_chinese_else_what_there_is() -> None:
    names = {"zh": ["会堂"], "th": ["หอ"], "fr": ["Salle"]}
    assert label_of({"id": "x", "names": names}) == "หอ"
    assert label_of({"id": "x", "names": {"fr": ["Salle"]}}) == "Salle"
    assert label_of({"id": "x", "names": {}}) == "x"


def share(query: str, name: str) -> float:
    wanted = set(search_grams(query))
    return len(wanted & set(search_grams(name))) / len(wanted)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("phuket hal", "Phuket Hall"),
        ("pukhet", "Phuket Hall"),
        ("ภูเกต", "หอประชุมภูเก็ต"),
        ("ประชุม", "หอประชุมภูเก็ต"),
        ("普吉会堂", "普吉會堂"),
        ("会堂", "普吉會堂"),
        ("ＰＨＵＫＥＴ", "phuket"),
        ("cafe", "Café"),
    ],
)
def test_a_name_is_found_by_a_part_of_it_in_other_scripts_and_with_a_typing_error(query: str, name: str) -> None:
    assert share(query, name) > share(query, "Bangkok Tower กรุงเทพ 曼谷")
    assert share(query, name) > 0.15


@given(st.text(max_size=40))
def test_folding_is_stable_and_pieces_come_from_the_folded_text(text: str) -> None:
    folded = fold_for_search(text)
    assert fold_for_search(folded) == folded
    assert search_grams(folded) == search_grams(text)
