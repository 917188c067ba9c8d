"""An entity index held in memory, and sources made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.stage import conserve_chain
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.blocking import packed_keys, unpacked_keys
from tenant_pipeline.linking.entity_index import (
    LINKS,
    Holder,
    Home,
    Known,
    KnownMember,
    Member,
    Proposal,
    Said,
    explanation_texts,
)
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.link import link
from tests.unit.pii.memory_stage import MemoryStage

VOCABULARY = load_contracts().vocabulary
TENANT = TenantId("a-tenant")


@dataclass
class MemoryIndex:
    """A tenant's entities in memory, kept as a database would keep them: features pass through their JSON."""

    homes: dict[str, Home] = field(default_factory=dict)
    decided: dict[tuple[str, str], str] = field(default_factory=dict)
    proposals: dict[tuple[str, str], Proposal] = field(default_factory=dict)
    of_sources: dict[tuple[str, str], Member] = field(default_factory=dict)
    source: str = ""
    now: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)

    def start(self, source: str) -> None:
        self.source, self.now, self.again, self.followed, self.said = source, set(), set(), set(), set()

    def canonical(self, home: str) -> str:
        return self.homes[home].canonical_id if home in self.homes else home

    def members(self, entity_ids: Sequence[str]) -> dict[str, KnownMember]:
        found = {name: self.of_sources.get((self.source, name)) for name in entity_ids}
        return {
            name: KnownMember(each.home_id, each.canonical_id, each.features_digest)
            for name, each in found.items()
            if each
        }

    def note(self, entity_ids: Iterable[Sequence[str]]) -> None:
        self.said = {name for batch in entity_ids for name in batch}

    def hand_on(self, batches: Iterable[Sequence[Said]]) -> None:
        said = {each.entity_id: each for batch in batches for each in batch}
        of_source = {name: member for (source, name), member in self.of_sources.items() if source == self.source}
        held = {member.home_id for name, member in of_source.items() if name in said}
        heirs: dict[str, list[Said]] = {}
        for each in said.values():
            if each.heir is not None and each.entity_id not in of_source:
                heirs.setdefault(repr((each.heir.table, each.heir.as_json())), []).append(each)
        gone: dict[str, list[Member]] = {}
        for name, member in of_source.items():
            if name not in said and member.home_id not in held:
                known = self.homes[member.home_id].features.as_json()
                gone.setdefault(repr((member.table, known)), []).append(member)
        for features, found in heirs.items():
            homes = {member.home_id for member in gone.get(features, [])}
            if len(found) == len(homes) == 1:
                (heir,) = found
                taken = replace(gone[features][0], entity_id=heir.entity_id, features_digest=heir.features_digest)
                self.of_sources[self.source, heir.entity_id] = taken

    def by_identifier(self, type_: str, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        found: dict[tuple[str, str], Known] = {}
        for identifier in identifiers:
            for name, home in sorted(self.homes.items()):
                if home.features.type == type_ and identifier in home.features.identifiers:
                    found.setdefault(identifier, Known(name, home.canonical_id))
        return found

    def by_blocking_key(self, keys: Iterable[int], *, alone: bool = False) -> dict[int, list[Known]]:
        found: dict[int, list[Known]] = {}
        of_homes = {
            name: set(unpacked_keys(packed_keys(home.family, home.features))) for name, home in self.homes.items()
        }
        for key in set(keys):
            for name, home in sorted(self.homes.items()):
                if key in of_homes[name]:
                    found.setdefault(key, []).append(Known(name, home.canonical_id))
        return found

    def features(self, canonical_ids: Iterable[str]) -> dict[str, Features]:
        found: dict[str, Features] = {}
        for name in canonical_ids:
            own = [home for home_id, home in sorted(self.homes.items(), key=lambda each: (each[0] != name, each[0]))
                   if home.canonical_id == name]  # fmt: skip
            for home in own:
                each = Features.from_json(name, home.features.as_json())
                found[name] = found[name].merged_with(each) if name in found else each
        return found

    def holders(self, canonical_ids: Iterable[str]) -> dict[tuple[str, str], Holder]:
        wanted = set(canonical_ids)
        found: dict[tuple[str, str], Holder] = {}
        for (source, name), member in sorted(self.of_sources.items()):
            if source == self.source and member.canonical_id in wanted and name in self.said:
                alone = sum(other.home_id == member.home_id for other in self.of_sources.values()) == 1
                free = alone and name in self.now and name not in self.again and member.method == "score"
                bits = self.homes[member.home_id].bits if free else None
                key = (member.canonical_id, member.table)
                if key not in found or bits is None:
                    found[key] = Holder(name, member.home_id, bits)
        return found

    def judged(self, home_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        both = [*self.decided.items(), *(((right, left), says) for (left, right), says in self.decided.items())]
        found = [(own, self.canonical(other), says) for (own, other), says in both if own in home_ids]
        return sorted(found, key=lambda each: (each[2] == "different", each[2] == "unsure", each))

    def release(self, homes: Sequence[str]) -> list[Features]:
        leaving, staying = self._leaving(homes)
        self.followed |= leaving - set(homes)
        for name in staying:
            home = self.homes[name]
            self.homes[name] = replace(home, attached_to=home.canonical_id)
        released = []
        for (source, name), member in sorted(self.of_sources.items()):
            if member.home_id in leaving:
                home = self.homes[member.home_id]
                self.homes[member.home_id] = replace(home, canonical_id=member.home_id, attached_to="", bits=None)
                self.of_sources[source, name] = replace(member, canonical_id=member.home_id, method="new")
                features = Features.from_json(name, home.features.as_json())
                features.table = member.table
                released.append(features)
        return released

    def _leaving(self, homes: Sequence[str]) -> tuple[set[str], set[str]]:
        leaving, staying, waiting = set(homes), set[str](), list(homes)
        while waiting:
            left = waiting.pop()
            for name, home in self.homes.items():
                if home.attached_to == left and home.canonical_id == self.homes[left].canonical_id:
                    methods = [each.method for each in self.of_sources.values() if each.home_id == name]
                    if methods != ["score"] or name in self.followed:
                        staying.add(name)
                    elif name not in leaving:
                        leaving.add(name)
                        waiting.append(name)
        return leaving, staying - leaving

    def add(
        self,
        seen: Sequence[str],
        changed: Mapping[str, str],
        members: Sequence[Member],
        homes: Mapping[str, Home],
        proposals: Sequence[Proposal],
    ) -> None:
        for name, home in homes.items():
            known = self.homes.get(name)
            if known is not None:
                merged = known.features.merged_with(home.features)
                home = replace(home if home.attached_to else known, features=merged)
            self.homes[name] = home
        self.of_sources.update({(self.source, each.entity_id): each for each in members})
        for name, digest in changed.items():
            known_member = self.of_sources[self.source, name]
            self.of_sources[self.source, name] = replace(known_member, features_digest=digest)
        self.now.update(seen, (each.entity_id for each in members))
        self.again.update(seen)
        for each in proposals:
            self.proposals.setdefault((each.left_id, each.right_id), each)

    def crowded(self, keyless: frozenset[str]) -> Iterator[Sequence[tuple[Known, float]]]:
        rows: dict[tuple[str, str], list[Member]] = {}
        for name in sorted(self.now):
            member = self.of_sources[self.source, name]
            if member.table not in keyless:
                rows.setdefault((member.canonical_id, member.table), []).append(member)
        for found in rows.values():
            if len({each.home_id for each in found}) > 1:
                yield [
                    (Known(each.home_id, each.canonical_id), each.score)
                    for each in found
                    if each.method == "score" and each.home_id != each.canonical_id
                ]

    def linked(self) -> Iterator[pa.Table]:
        members = [self.of_sources[self.source, name] for name in sorted(self.now)]
        texts = zip(members, explanation_texts(members), strict=True)
        rows = [vars(member) | {"explanation": text} for member, text in texts]
        yield pa.Table.from_pylist(rows, schema=LINKS)


def linked(
    index: MemoryIndex,
    source: str,
    *entities: dict[str, str],
    type_: str = "EventVenue",
    tables: Sequence[str] = (),
    keyless: frozenset[str] = frozenset(),
    by_content: frozenset[str] = frozenset(),
    ids: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """Link entities given as {property[@lang]: value}; return the row of `links` for each, by its id.

    `tables` names the table of each entity; all are in one where it is left out. `ids` are their ids, or else their
    numbers are.
    """
    rows: dict[str, list[dict[str, str]]] = {}
    for number, entity in enumerate(entities):
        for key, value in entity.items():
            property_, _, lang = key.partition("@")
            said = dict.fromkeys(STATEMENT_COLUMNS, "")
            name = ids[number] if ids else f"ent-{source}-{number}"
            said |= {"entity_id": name, "type": type_, "property": property_}
            table = tables[number] if tables else "t00001"
            rows.setdefault(table, []).append(said | {"value": value, "lang": lang})
    stage, out = MemoryStage(), MemoryStage()
    for table, said_there in rows.items():
        with stage.table(table, "statements") as writer:
            writer.write(pa.Table.from_pylist(said_there).to_pandas(types_mapper=pd.ArrowDtype))
    index.start(source)
    counts = link(stage, out, vocabulary=VOCABULARY, index=index, tenant=TENANT, keyless=keyless, by_content=by_content)
    conserve_chain(counts, None, "link")
    assert counts[-1].emitted == sum(map(len, rows.values()))
    (links,) = out.tables("links")
    return {row["entity_id"]: row for frame in links.batches() for row in frame.to_dict("records")}
