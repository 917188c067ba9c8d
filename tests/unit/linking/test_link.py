"""Identifiers decide first, a score explains itself, and what is not sure goes to people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.stage import conserve_chain
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.entity_index import Member, Proposal
from tenant_pipeline.linking.features import Features, blocking_keys
from tenant_pipeline.linking.link import link
from tenant_pipeline.linking.score import Match, score
from tests.unit.pii.memory_stage import MemoryStage

VOCABULARY = load_contracts().vocabulary
TENANT = TenantId("a-tenant")


@dataclass
class MemoryIndex:
    """A tenant's entities in memory."""

    known: dict[str, Features] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    decided: dict[tuple[str, str], str] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)

    def by_identifier(self, type_: str, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        return {
            identifier: name
            for identifier in identifiers
            for name, features in sorted(self.known.items())
            if features.type == type_ and identifier in features.identifiers
        }

    def by_blocking_key(self, family: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for key in keys:
            for name, features in sorted(self.known.items()):
                if self.families[name] == family and key in blocking_keys(features):
                    found.setdefault(key, []).append(name)
        return found

    def features(self, canonical_ids: Iterable[str]) -> dict[str, Features]:
        return {name: self.known[name] for name in canonical_ids if name in self.known}

    def judged(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        return {pair: self.decided[pair] for pair in pairs if pair in self.decided}

    def add(
        self,
        members: Iterable[Member],
        features: Mapping[str, Features],
        families: Mapping[str, str],
        proposals: Iterable[Proposal],
    ) -> None:
        for name, new in features.items():
            self.known[name] = self.known[name].merged_with(new) if name in self.known else new
        self.families.update(families)
        self.proposals += proposals


def _linked(index: MemoryIndex, source: str, *entities: dict[str, str], type_: str = "EventVenue") -> dict[str, Any]:
    """Link entities given as {property[@lang]: value}; return the row of `links` for each, by its name."""
    rows = []
    for number, entity in enumerate(entities):
        for key, value in entity.items():
            property_, _, lang = key.partition("@")
            said = dict.fromkeys(STATEMENT_COLUMNS, "")
            said |= {"entity_id": f"ent-{source}-{number}", "type": type_, "property": property_}
            rows.append(said | {"value": value, "lang": lang})
    stage, out = MemoryStage(), MemoryStage()
    with stage.table("t00001", "statements") as writer:
        writer.write(pa.Table.from_pylist(rows).to_pandas(types_mapper=pd.ArrowDtype))
    counts = link(stage, out, vocabulary=VOCABULARY, index=index, tenant=TENANT)
    conserve_chain(counts, None, "link")
    assert counts[-1].emitted == len(rows)
    (table,) = out.tables("links")
    return {row["entity_id"]: row for frame in table.batches() for row in frame.to_dict("records")}


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
    (proposal,) = index.proposals
    assert {proposal.left_id, proposal.right_id} == {first["canonical_id"], second["canonical_id"]}


def test_what_people_decided_stands() -> None:
    for judgement, same in (("same", True), ("different", False)):
        index = MemoryIndex()
        first = _linked(index, "a", {"name@en": "Assembly Hall"})["ent-a-0"]["canonical_id"]
        own = _linked(index, "b", {"name@en": "Assembly Hall"})["ent-b-0"]["canonical_id"]
        del index.known[own]
        index.decided[min(first, own), max(first, own)] = judgement
        again = _linked(index, "b", {"name@en": "Assembly Hall"})["ent-b-0"]["canonical_id"]
        assert (again == first) is same


def test_another_identifier_of_the_same_scheme_is_another_entity_however_alike() -> None:
    index = MemoryIndex()
    place = {"name@en": "Ban Mai", "name@th": "บ้านใหม่", "geo": "7.1,98.1", "postalCode": "83000"}
    first = _linked(index, "a", {**place, "identifier": "830101"}, type_="AdministrativeArea")["ent-a-0"]
    second = _linked(index, "b", {**place, "identifier": "830102"}, type_="AdministrativeArea")["ent-b-0"]
    assert first["canonical_id"] != second["canonical_id"]
    assert index.proposals == []


def test_two_rows_of_one_table_are_two_entities_however_alike() -> None:
    index = MemoryIndex()
    row = {"name@en": "Stop", "geo": "7.1,98.1", "postalCode": "83000"}
    _linked(index, "a", row)
    linked = _linked(index, "b", row, row)
    assert len({each["canonical_id"] for each in linked.values()}) == 2


def test_one_entity_with_the_identifiers_of_two_is_never_merged_in_silence() -> None:
    index = MemoryIndex()
    index.known = {
        "can-1": Features("can-1", "EventVenue", "", [("identifier", "A")]),
        "can-2": Features("can-2", "EventVenue", "", [("identifier", "B")]),
    }
    index.families = dict.fromkeys(index.known, "Place")
    linked = _linked(index, "c", {"identifier": "A", "name@en": "Hall"}, {"identifier": "B", "name@en": "Hall"})
    assert {row["canonical_id"] for row in linked.values()} == {"can-1", "can-2"}


def test_a_bus_stop_is_not_the_province_of_its_name() -> None:
    index = MemoryIndex()
    place = {"name@en": "Phuket", "name@th": "ภูเก็ต", "geo": "7.8,98.3", "postalCode": "83000"}
    first = _linked(index, "a", place, type_="AdministrativeArea")["ent-a-0"]
    second = _linked(index, "b", place, type_="BusStop")["ent-b-0"]
    third = _linked(index, "c", place, type_="Place")["ent-c-0"]
    assert first["canonical_id"] != second["canonical_id"]
    assert third["canonical_id"] in (first["canonical_id"], second["canonical_id"])


def test_a_long_name_or_identifier_makes_a_short_key() -> None:
    index = MemoryIndex()
    _linked(index, "a", {"name@th": "ก" * 3000, "identifier": "ข" * 3000})
    (known,) = index.known.values()
    assert max(len(value) for _, value in (*known.identifiers, *blocking_keys(known))) <= 400


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
