"""What each entity of a batch is: identifiers first, then the surest scores, else something new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.linking.assignment import Pair, assign, explanation
from tenant_pipeline.linking.blocking import packed_keys, unpacked_keys
from tenant_pipeline.linking.entity_index import EntityIndex, Holder, Home, Known, Member, Proposal
from tenant_pipeline.linking.features import NEVER_BY_SCORE, Features
from tenant_pipeline.linking.identifiers import IdentifierKey, by_scheme, contradict, identifier_keys, own_id
from tenant_pipeline.linking.kinds import compatible, family
from tenant_pipeline.linking.pair import pair_ends
from tenant_pipeline.linking.score import score_pairs

MOST_IN_A_BLOCK = 50
"""A blocking key that more entities share says too little to compare them all."""
MOST_CANDIDATES = 10
"""An entity is compared with so many, those that share the most and rarest keys with it: each key weighs one part in
as many as share it (ARCS; Papadakis et al., "Meta-blocking", IEEE TKDE 26(8), 2014)."""

_NEW: Mapping[str, Any] = {"says": say("Nothing known is surely the same.")}


@dataclass
class Batch:
    """Entities of one source in the making: what they turned out to be, and what is to be kept of them.

    `alone` says that all entities of the source are rows of one table, told apart by a key; `code` is the version of
    the code that links them. `digests` and `keys` are the entities' as far as they were made ahead.
    """

    vocabulary: Vocabulary
    index: EntityIndex
    tenant: TenantId
    keyless: frozenset[str]
    alone: bool = False
    code: str = ""
    digests: Mapping[str, Sha256] = field(default_factory=dict)
    keys: Mapping[str, bytes] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    homes: dict[str, Home] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)
    displaced: list[str] = field(default_factory=list)
    owners: dict[IdentifierKey, Known] = field(default_factory=dict)
    _families: dict[str, str] = field(default_factory=dict)

    def match(self, entities: Sequence[Features], again: Sequence[Features] = ()) -> None:
        """Find out what each of the entities is; `again` are those that gave way to surer ones.

        What an earlier run has linked stays what it is, and is not looked at unless its features have changed.
        """
        before = self.index.members([each.entity_id for each in entities])
        self.seen += before
        for each in entities:
            if each.entity_id in before:
                digest = self._digest(each)
                if before[each.entity_id].features_digest != digest:
                    self.changed[each.entity_id] = digest
        unknown = [each for each in entities if each.entity_id not in before]
        changed = [each for each in entities if each.entity_id in self.changed]
        self._look_up_identifiers([*again, *changed, *unknown])
        free = {own_id(self.tenant, each) for each in again}
        self.owners = {key: known for key, known in self.owners.items() if known.home_id not in free}
        for entity in changed:
            known = before[entity.entity_id]
            self._take_in(entity, known)
            self._put_contradictions_to_people(entity, known.canonical_id)
        leaders, followers = _led([*again, *self._match_by_identifier(unknown)])
        self._let_identifiers_through()
        new = {own_id(self.tenant, each): each for each in leaders}
        canonical = self._match_by_score(new)
        for own, entity in new.items() if followers else ():
            for key in identifier_keys(entity):
                self.owners.setdefault(key, Known(own, canonical[own]))
        self._match_by_identifier(followers)

    def _look_up_identifiers(self, entities: Iterable[Features]) -> None:
        wanted: dict[str, set[tuple[str, str]]] = {}
        for entity in entities:
            if entity.identifiers:
                wanted.setdefault(entity.type, set()).update(entity.identifiers)
        for type_, identifiers in sorted(wanted.items()):
            for identifier, known in self.index.by_identifier(type_, identifiers).items():
                self.owners[type_, *identifier] = known

    def _match_by_identifier(self, entities: Sequence[Features]) -> list[Features]:
        """Match what bears an identifier that is known, again and again: each match may make more known."""
        waiting = list(entities)
        while self.owners:
            left = []
            for entity in waiting:
                key = next((key for key in sorted(identifier_keys(entity)) if key in self.owners), None)
                if key is None:
                    left.append(entity)
                    continue
                known, scheme = self.owners[key], key[1]
                says = {"says": say("The same {scheme}.", scheme=scheme), "identifier": scheme}
                self._keep(entity, known.canonical_id, f"identifier:{scheme}", 1.0, says, known.home_id)
                self._take_in(entity, known)
                self._put_contradictions_to_people(entity, known.canonical_id)
            if len(left) == len(waiting):
                break
            waiting = left
        return waiting

    def _put_contradictions_to_people(self, entity: Features, canonical: str) -> None:
        """One entity bears the identifiers of several: they are never merged in silence."""
        for key in identifier_keys(entity):
            other = self.owners[key].canonical_id
            if other != canonical:
                says = say("A source gives one thing the identifiers of both.")
                ends = pair_ends(canonical, other)
                self.proposals.append(Proposal(*ends, 0.5, {"says": says, "entity_id": entity.entity_id}))

    def _match_by_score(self, new: Mapping[str, Features]) -> Mapping[str, str]:
        """Match the surest pairs first; what has none is new. Returns the canonical id of each of the new ids."""
        scorable = {name: each for name, each in new.items() if self._family(each) not in NEVER_BY_SCORE}
        word = {(own, other): says for own, other, says in self.index.judged(list(scorable))}
        same = [ends for ends, says in word.items() if says == "same"]
        keys = {own: self._packed_keys(each) for own, each in scorable.items()}
        candidates, among, held = self._candidates(scorable, keys, same)
        known = self.index.features({each for homes in candidates.values() for each in homes})
        ends = [
            (own, other)
            for own in scorable
            if own in candidates or own in among
            for other in sorted({*candidates.get(own, ()), *among.get(own, ())})
            if other != own and self._may_be(scorable[own], known.get(other) or new.get(other))
        ]
        everything = {other: known.get(other) or new[other] for _, other in ends}
        place = {own: number for number, own in enumerate(scorable)}
        scores = score_pairs(list(scorable.values()), everything, [(place[own], other) for own, other in ends])
        pairs = [
            Pair(own, other, score, word.get((own, other), ""))
            for (own, other), score in zip(ends, scores, strict=True)
        ]
        apart = [ends for ends, says in word.items() if says != "same"]
        found = assign(new, known, pairs, apart=apart, holders=held, keyless=self.keyless)
        self.displaced += found.displaced
        self.proposals += found.proposals
        for own, entity in new.items():
            canonical, pair = found.canonical[own], found.attached.get(own)
            if pair is None:
                self._keep(entity, canonical, "new", 1.0, _NEW, own)
                self.homes[own] = Home(entity, self._family(entity), canonical, keys=keys.get(own))
            else:
                other = pair.right if pair.left == own else pair.left
                method = "judgement" if pair.judged else "score"
                self._keep(entity, canonical, method, pair.score.probability, explanation(pair), own)
                attached_to = candidates.get(own, {}).get(other, other)
                self.homes[own] = Home(
                    entity, self._family(entity), canonical, attached_to, pair.score.bits, keys.get(own)
                )
        return found.canonical

    def _candidates(
        self,
        scorable: Mapping[str, Features],
        keys: Mapping[str, bytes],
        same: Sequence[tuple[str, str]],
    ) -> tuple[dict[str, dict[str, str]], dict[str, set[str]], dict[tuple[str, str], Holder]]:
        """For each new id that has any, the known canonical entities that share its packed keys, each with the home
        that shares most, and the lesser ids of the batch that do; and who holds the known ones. What was judged the
        same is among them."""
        blocks: dict[int, list[str]] = {}
        for own in sorted(scorable) if not self.alone else ():
            for key in unpacked_keys(keys[own]):
                blocks.setdefault(key, []).append(own)
        every = (key for packed in keys.values() for key in unpacked_keys(packed))
        found = self.index.by_blocking_key(every, alone=self.alone)
        in_blocks = {home.canonical_id for block in found.values() for home in block}
        held = self._held(in_blocks | {other for _, other in same})
        candidates: dict[str, dict[str, str]] = {}
        among: dict[str, set[str]] = {}
        for own, each in scorable.items() if found or blocks else ():
            weights: dict[str, float] = {}
            homes: dict[str, dict[str, float]] = {}
            for key in unpacked_keys(keys[own]):
                block = found.get(key, [])
                for home in block:
                    if home.canonical_id == own or self._is_another_row(each, home.canonical_id, held):
                        continue
                    shared = homes.setdefault(home.canonical_id, {})
                    shared[home.home_id] = shared.get(home.home_id, 0) + 1 / len(block)
                together = blocks.get(key, [])
                if 1 < len(together) <= MOST_IN_A_BLOCK:
                    for other in together:
                        if other < own and self._may_be_rows_of_one(each, scorable[other]):
                            weights[other] = weights.get(other, 0) + 1 / len(together)
            if homes:
                heaviest = _heaviest({name: max(each.values()) for name, each in homes.items()}, MOST_CANDIDATES)
                candidates[own] = {canonical: _heaviest(homes[canonical], 1)[0] for canonical in heaviest}
            if weights:
                among[own] = set(_heaviest(weights, MOST_CANDIDATES))
        for own, other in same:
            candidates.setdefault(own, {}).setdefault(other, other)
        return candidates, among, held

    def _let_identifiers_through(self) -> None:
        """Let rows of earlier batches give way where a score had given them what an identifier gives to another."""
        named = {(each.canonical_id, each.table) for each in self.members if each.table not in self.keyless}
        holders = self.index.holders(sorted({canonical for canonical, _ in named})) if named else {}
        self.displaced += [
            holder.home_id for key, holder in sorted(holders.items()) if key in named and holder.bits is not None
        ]

    def _held(self, canonical_ids: set[str]) -> dict[tuple[str, str], Holder]:
        """The rows of this source that these have been given to: by earlier batches, and by identifiers in this one."""
        held = self.index.holders(sorted(canonical_ids))
        for member in self.members:
            if member.canonical_id in canonical_ids:
                held[member.canonical_id, member.table] = Holder(member.entity_id, member.home_id, None)
        return held

    def _is_another_row(self, entity: Features, canonical: str, held: Mapping[tuple[str, str], Holder]) -> bool:
        """Whether that is surely another row of the entity's table, of which each is a thing of its own."""
        holder = held.get((canonical, entity.table))
        return holder is not None and holder.bits is None and entity.table not in self.keyless

    def _may_be_rows_of_one(self, left: Features, right: Features) -> bool:
        return left.table != right.table or left.table in self.keyless

    def _may_be(self, left: Features, right: Features | None) -> bool:
        return (
            right is not None
            and compatible(self.vocabulary, left.type, right.type)
            and not contradict(by_scheme(left.identifiers), by_scheme(right.identifiers))
        )

    def _take_in(self, entity: Features, known: Known) -> None:
        """Add what the entity tells to the home that it has, but for identifiers that are another's."""
        own = [
            (scheme, value)
            for type_, scheme, value in identifier_keys(entity)
            if self.owners.setdefault((type_, scheme, value), known).canonical_id == known.canonical_id
        ]
        entity = replace(entity, identifiers=own)
        home = self.homes.get(known.home_id)
        if home is None:
            self.homes[known.home_id] = Home(entity, self._family(entity), known.canonical_id)
        else:
            self.homes[known.home_id] = Home(
                home.features.merged_with(entity), home.family, home.canonical_id, home.attached_to, home.bits
            )

    def _keep(
        self,
        entity: Features,
        canonical: str,
        method: str,
        certainty: float,
        says: Mapping[str, Any],
        home: str,
    ) -> None:
        self.members.append(
            Member(
                entity.entity_id, canonical, entity.type, method, certainty, says, home, entity.table,
                self._digest(entity),
            )
        )  # fmt: skip

    def _packed_keys(self, entity: Features) -> bytes:
        made = self.keys.get(entity.entity_id)
        return packed_keys(self._family(entity), entity) if made is None else made

    def _digest(self, entity: Features) -> Sha256:
        return self.digests[entity.entity_id] if entity.entity_id in self.digests else entity.digest(self.code)

    def _family(self, entity: Features) -> str:
        found = self._families.get(entity.type)
        if found is None:
            found = self._families[entity.type] = family(self.vocabulary, entity.type)
        return found


def _led(entities: Iterable[Features]) -> tuple[list[Features], list[Features]]:
    """Entities whose identifiers nobody owns yet: one that leads for each group that shares some, and the rest."""
    claimed: set[IdentifierKey] = set()
    leaders: list[Features] = []
    followers: list[Features] = []
    for entity in entities:
        keys = identifier_keys(entity)
        (followers if any(key in claimed for key in keys) else leaders).append(entity)
        claimed.update(keys)
    return leaders, followers


def _heaviest(weights: Mapping[str, float], most: int) -> list[str]:
    """The names that weigh most, at most so many; of equal ones the lesser."""
    return sorted(weights, key=lambda name: (-round(weights[name], 9), name))[:most]
