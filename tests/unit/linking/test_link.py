"""Identifiers decide first, a score explains itself, and what is not sure goes to people."""

from __future__ import annotations

import json
import random

import pytest

from tenant_pipeline.core import entity_parts
from tenant_pipeline.linking import link
from tenant_pipeline.linking.blocking import blocking_keys
from tenant_pipeline.linking.entity_index import Home
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.score import Match, score
from tests.unit.linking.memory_index import MemoryIndex
from tests.unit.linking.memory_index import linked as _linked


def test_the_same_identifier_is_the_same_entity_in_whatever_order_the_sources_come() -> None:
    one, other = {"identifier": "PKT-1", "name@en": "Hall"}, {"identifier": "PKT-1", "name@en": "Something else"}
    first, second = MemoryIndex(), MemoryIndex()
    a, b = _linked(first, "a", one)["ent-a-0"], _linked(first, "b", other)["ent-b-0"]
    d, c = _linked(second, "b", other)["ent-b-0"], _linked(second, "a", one)["ent-a-0"]
    assert {row["canonical_id"] for row in (a, b, c, d)} == {a["canonical_id"]}
    assert b["method"] == "identifier:identifier"


def test_a_name_a_place_and_a_postcode_that_agree_are_one_entity_and_say_why() -> None:
    index = MemoryIndex()
    known = {"name@en": "Makham Bay Convention Centre", "geo": "7.831200,98.407100", "postalCode": "83000"}
    again = {"name@en": "Makham Bay Convention Center", "geo": "7.831300,98.407000", "postalCode": "83000"}
    first, second = _linked(index, "a", known)["ent-a-0"], _linked(index, "b", again)["ent-b-0"]
    assert second["canonical_id"] == first["canonical_id"]
    explanation = json.loads(second["explanation"])
    assert {part["comparator"] for part in explanation["parts"]} == {"names", "distance", "postal_code"}
    total = explanation["prior_bits"] + sum(part["bits"] for part in explanation["parts"])
    assert abs(total - explanation["bits"]) < 0.01


def test_a_name_alone_is_not_enough_and_goes_to_people() -> None:
    index = MemoryIndex()
    first = _linked(index, "a", {"name@en": "Assembly Hall"})["ent-a-0"]
    second = _linked(index, "b", {"name@en": "Assembly Hall"})["ent-b-0"]
    assert first["canonical_id"] != second["canonical_id"]
    (proposal,) = index.proposals.values()
    assert {proposal.left_id, proposal.right_id} == {first["canonical_id"], second["canonical_id"]}


def test_what_people_decided_stands() -> None:
    for judgement, same in (("same", True), ("different", False)):
        index = MemoryIndex()
        first = _linked(index, "a", {"name@en": "Assembly Hall"})["ent-a-0"]["canonical_id"]
        own = _linked(index, "b", {"name@en": "Assembly Hall"})["ent-b-0"]["canonical_id"]
        del index.homes[own]
        del index.of_sources["b", "ent-b-0"]
        index.decided[min(first, own), max(first, own)] = judgement
        again = _linked(index, "b", {"name@en": "Assembly Hall"})["ent-b-0"]["canonical_id"]
        assert (again == first) is same


def test_another_identifier_of_the_same_scheme_is_another_entity_however_alike() -> None:
    index = MemoryIndex()
    place = {"name@en": "Ban Mai", "name@th": "บ้านใหม่", "geo": "7.1,98.1", "postalCode": "83000"}
    first = _linked(index, "a", {**place, "identifier": "830101"}, type_="AdministrativeArea")["ent-a-0"]
    second = _linked(index, "b", {**place, "identifier": "830102"}, type_="AdministrativeArea")["ent-b-0"]
    assert first["canonical_id"] != second["canonical_id"]
    assert index.proposals == {}


def test_two_rows_of_one_table_are_two_entities_however_alike() -> None:
    index = MemoryIndex()
    row = {"name@en": "Stop", "geo": "7.1,98.1", "postalCode": "83000"}
    _linked(index, "a", row)
    linked = _linked(index, "b", row, row)
    assert len({each["canonical_id"] for each in linked.values()}) == 2


def test_one_entity_with_the_identifiers_of_two_is_never_merged_in_silence() -> None:
    index = MemoryIndex()
    for name, identifier in (("can-1", "A"), ("can-2", "B")):
        features = Features(name, "EventVenue", "", [("identifier", identifier)])
        index.homes[name] = Home(features, "Place", name)
    linked = _linked(index, "c", {"identifier": "A", "name@en": "Hall"}, {"identifier": "B", "name@en": "Hall"})
    assert {row["canonical_id"] for row in linked.values()} == {"can-1", "can-2"}


def test_a_bus_stop_is_not_the_province_of_its_name() -> None:
    index = MemoryIndex()
    place = {"name@en": "Phuket", "name@th": "ภูเก็ต", "geo": "7.8,98.3", "postalCode": "83000"}
    first = _linked(index, "a", place, type_="AdministrativeArea")["ent-a-0"]
    second = _linked(index, "b", place, type_="BusStop")["ent-b-0"]
    third = _linked(index, "c", place, type_="Place")["ent-c-0"]
    assert len({each["canonical_id"] for each in (first, second, third)}) == 3
    asked = {frozenset((first["canonical_id"], third["canonical_id"])),
             frozenset((second["canonical_id"], third["canonical_id"]))}  # fmt: skip
    assert {frozenset(pair) for pair in index.proposals} == asked, "what is as like the one as the other is for people"


HALL = {"name@en": "Makham Bay Convention Centre", "geo": "7.831200,98.407100", "postalCode": "83000"}
NEARLY = {**HALL, "name@en": "Makham Bay Convention Center", "geo": "7.831900,98.407900"}


@pytest.mark.parametrize("batch", [1, 2, 5_000])
@pytest.mark.parametrize("rows", [(NEARLY, HALL), (HALL, NEARLY)], ids=["surest last", "surest first"])
def test_the_surest_row_is_linked_wherever_it_stands_and_the_other_goes_to_people(
    monkeypatch: pytest.MonkeyPatch, rows: tuple[dict[str, str], ...], batch: int
) -> None:
    monkeypatch.setattr(link, "ENTITIES_A_BATCH", batch)
    index = MemoryIndex()
    known = _linked(index, "a", HALL)["ent-a-0"]["canonical_id"]
    found = _linked(index, "b", *rows)
    surest, other = (found[f"ent-b-{rows.index(row)}"] for row in (HALL, NEARLY))
    assert (surest["canonical_id"], surest["method"]) == (known, "score")
    assert (other["canonical_id"] != known, other["method"]) == (True, "new")
    assert list(index.proposals) == [tuple(sorted((known, other["canonical_id"])))]


@pytest.mark.parametrize("batch", [1, 5_000])
def test_rows_of_one_table_that_are_alike_bother_nobody_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(link, "ENTITIES_A_BATCH", batch)
    index = MemoryIndex()
    assert len({row["canonical_id"] for row in _linked(index, "a", HALL, HALL, NEARLY).values()}) == 3
    assert index.proposals == {}


@pytest.mark.parametrize("batch", [1, 5_000])
@pytest.mark.parametrize("rows", [(0, 1), (1, 0)])
def test_what_an_identifier_has_given_to_one_row_no_score_gives_to_another(
    monkeypatch: pytest.MonkeyPatch, rows: tuple[int, int], batch: int
) -> None:
    monkeypatch.setattr(link, "ENTITIES_A_BATCH", batch)
    index = MemoryIndex()
    known = _linked(index, "a", {**HALL, "identifier": "PKT-1"})["ent-a-0"]["canonical_id"]
    both = ({"identifier": "PKT-1", "name@en": "Hall"}, HALL)
    found = _linked(index, "b", *(both[row] for row in rows))
    named = found[f"ent-b-{rows.index(0)}"]
    assert (named["canonical_id"], named["method"]) == (known, "identifier:identifier")
    assert len({row["canonical_id"] for row in found.values()}) == 2


@pytest.mark.parametrize("batch", [1, 3])
def test_whatever_gives_way_each_home_is_tied_to_one_of_its_own_entity(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(link, "ENTITIES_A_BATCH", batch)
    chance = random.Random(1)
    index = MemoryIndex()
    for source in "abc":
        halls = []
        for number in range(20):
            name = f"{('Makham', 'Sarin', 'Lanta', 'Rawai')[number % 4]} {chance.choice(('Hall', 'Hall Centre'))}"
            hall = {"name@en": name, "geo": f"7.{number % 4}{chance.randrange(4):04d},98.1", "postalCode": "83000"}
            hall |= {"url": f"https://hall.example/{number % 4}"} if chance.random() < 0.4 else {}
            halls.append({key: value for key, value in hall.items() if key == "name@en" or chance.random() < 0.8})
        _linked(index, source, *halls, tables=[chance.choice(("t1", "t2")) for _ in halls])
    tied = {name: home for name, home in index.homes.items() if home.attached_to}
    assert tied
    assert all(index.homes[home.attached_to].canonical_id == home.canonical_id for home in tied.values())
    assert all(name in tied for name, home in index.homes.items() if home.canonical_id != name)


def test_rows_of_two_tables_or_of_one_without_keys_can_be_one() -> None:
    for tables, keyless, things in (
        (("t1", "t2"), frozenset[str](), 1),
        (("t1", "t1"), frozenset({"t1"}), 1),
        (("t1", "t1"), frozenset[str](), 2),
    ):
        found = _linked(MemoryIndex(), "a", HALL, HALL, tables=tables, keyless=keyless)
        assert len({row["canonical_id"] for row in found.values()}) == things


def test_rows_that_were_judged_different_do_not_meet_by_way_of_a_third() -> None:
    index = MemoryIndex()
    known = _linked(index, "a", HALL)["ent-a-0"]["canonical_id"]
    alone = _linked(MemoryIndex(), "b", HALL, HALL)
    own = alone["ent-b-0"]["canonical_id"]
    index.decided[min(known, own), max(known, own)] = "different"
    found = _linked(index, "b", HALL, HALL, keyless=frozenset({"t00001"}))
    assert len({known, *(row["canonical_id"] for row in found.values())}) == 2
    assert found["ent-b-0"]["canonical_id"] != known
    assert len(index.proposals) == 1


ASSEMBLY, SHORE = {"name@en": "Assembly Hall"}, {"name@en": "Shore Hall"}
BY_CONTENT = frozenset({"t00001"})


def test_a_row_that_has_another_id_and_looks_as_before_is_what_it_was() -> None:
    index = MemoryIndex()
    before = _linked(index, "a", ASSEMBLY, SHORE, keyless=BY_CONTENT, by_content=BY_CONTENT, ids=["ent-1", "ent-2"])
    homes = dict(index.homes)
    after = _linked(index, "a", SHORE, ASSEMBLY, keyless=BY_CONTENT, by_content=BY_CONTENT, ids=["ent-2", "ent-3"])
    assert after["ent-3"]["canonical_id"] == before["ent-1"]["canonical_id"]
    assert after["ent-2"] == before["ent-2"]
    assert (index.homes, index.proposals) == (homes, {})


@pytest.mark.parametrize(
    ("old", "new", "ids"),
    [
        ((ASSEMBLY,), (ASSEMBLY, ASSEMBLY), ("ent-3", "ent-4")),
        ((ASSEMBLY,), (ASSEMBLY, ASSEMBLY), ("ent-1", "ent-3")),
        ((ASSEMBLY, ASSEMBLY), (ASSEMBLY,), ("ent-3",)),
        ((ASSEMBLY,), ({**ASSEMBLY, "postalCode": "83000"},), ("ent-3",)),
    ],
    ids=["two heirs", "it is still there", "heir of two", "looks otherwise"],
)
def test_what_may_be_another_inherits_nothing(
    old: tuple[dict[str, str], ...], new: tuple[dict[str, str], ...], ids: tuple[str, ...]
) -> None:
    index = MemoryIndex()
    known = _linked(index, "a", *old, keyless=BY_CONTENT, by_content=BY_CONTENT, ids=["ent-1", "ent-2"][: len(old)])
    found = _linked(index, "a", *new, keyless=BY_CONTENT, by_content=BY_CONTENT, ids=ids)
    canonical = {row["canonical_id"] for row in known.values()}
    assert found["ent-3"]["canonical_id"] not in canonical


@pytest.mark.parametrize("type_", ["Person", "WebPage"])
def test_a_person_or_a_text_inherits_nothing(type_: str) -> None:
    index = MemoryIndex()
    (before,) = _linked(index, "a", ASSEMBLY, type_=type_, by_content=BY_CONTENT, ids=["ent-1"]).values()
    (after,) = _linked(index, "a", ASSEMBLY, type_=type_, by_content=BY_CONTENT, ids=["ent-2"]).values()
    assert after["canonical_id"] != before["canonical_id"]


def test_linking_a_source_again_changes_nothing_and_keeps_what_it_was() -> None:
    index = MemoryIndex()
    _linked(index, "a", HALL)
    before = _linked(index, "b", HALL, {"name@en": "Assembly Hall"})
    homes, proposals = dict(index.homes), dict(index.proposals)
    assert _linked(index, "b", HALL, {"name@en": "Assembly Hall"}) == before
    assert (index.homes, index.proposals) == (homes, proposals)


def test_what_bears_identifiers_of_two_joins_one_and_the_two_go_to_people() -> None:
    index = MemoryIndex()
    one, other = (_linked(index, name, {"identifier": name})["ent-" + name + "-0"]["canonical_id"] for name in "ab")
    both = _linked(index, "c", {"identifier@x": "a", "identifier@y": "b"})["ent-c-0"]
    assert both["canonical_id"] == one != other
    assert list(index.proposals) == [tuple(sorted((one, other)))]
    assert _linked(index, "d", {"identifier": "b"})["ent-d-0"]["canonical_id"] == other


def test_a_large_source_is_gathered_part_by_part_with_every_entity_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"name@en": f"Hall {number}", "geo": f"7.{number:06d},98.1", "capacity": "10"} for number in range(40)]
    whole = _linked(MemoryIndex(), "a", *rows, tables=["t1", "t2"] * 20)
    monkeypatch.setattr(entity_parts, "ROWS_A_PART", 7)
    assert _linked(MemoryIndex(), "a", *rows, tables=["t1", "t2"] * 20) == whole
    assert len(whole) == 40


def test_a_long_name_or_identifier_makes_a_short_key() -> None:
    index = MemoryIndex()
    _linked(index, "a", {"name@th": "ก" * 3000, "identifier": "ข" * 3000})
    (home,) = index.homes.values()
    values = [value for _, value in home.features.identifiers]
    values += [key.partition(" ")[2] for key in blocking_keys(home.features)]
    assert max(map(len, values)) <= 400


def test_texts_are_not_one_because_they_are_alike() -> None:
    index = MemoryIndex()
    page = {"name@en": "Annual report", "url": "https://example.org/a"}
    first = _linked(index, "a", page, type_="NewsArticle")["ent-a-0"]
    second = _linked(index, "b", page, type_="NewsArticle")["ent-b-0"]
    assert first["canonical_id"] != second["canonical_id"]


def test_the_score_does_not_depend_on_which_is_left() -> None:
    left = Features("l", "Event", "", [], {"name": ["en:fair"], "startDate": ["2026-01-01"], "postalCode": ["83000"]})
    right = Features("r", "Event", "", [], {"name": ["en:fairs"], "startDate": ["2027-01-01"], "postalCode": ["83000"]})
    assert score(left, right) == score(right, left)
    assert score(left, right).match is Match.DIFFERENT, "editions of an event differ in their day"
