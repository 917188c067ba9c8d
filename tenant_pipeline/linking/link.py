"""The eighth stage: entities get the tenant's canonical ids.

Identifiers decide first. What has none that is known is looked for under its blocking keys and scored against what is
found there; a sure pair is linked, a pair in the grey zone goes to people and stays apart until they have decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.tables import BATCH_ROWS, StageReader, StageWriter
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.linking.entity_index import EntityIndex, Member, Proposal
from tenant_pipeline.linking.features import NEVER_BY_SCORE, Features, blocking_keys, gather
from tenant_pipeline.linking.score import Match, Score, score

ENTITIES_A_BATCH = 5_000


@dataclass
class _Batch:
    """What the entities of one batch turned out to be."""

    members: list[Member] = field(default_factory=list)
    features: dict[str, Features] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)


def link(
    validated: StageReader, out: StageWriter, *, vocabulary: Vocabulary, index: EntityIndex, tenant: TenantId
) -> tuple[StageCount, ...]:
    """Link the source's entities to the tenant's, keep what was found in `index`, and write the `links` table.

    The outcome depends on the entities that are known when it runs; the caller sees to it that no other source of the
    tenant is linked at the same time.
    """
    identifying = frozenset(name for name, property_ in vocabulary.properties.items() if property_.identifying)
    statements = 0
    linked: dict[str, Member] = {}
    for entities, table_statements in gather(validated, identifying):
        statements += table_statements
        taken: set[str] = set()
        new = [entity for entity in entities if entity.entity_id not in linked]
        for first in range(0, len(new), ENTITIES_A_BATCH):
            batch = _link_batch(new[first : first + ENTITIES_A_BATCH], vocabulary, index, tenant, taken)
            index.add(batch.members, batch.features, batch.families, batch.proposals)
            linked.update((member.entity_id, member) for member in batch.members)
    with out.table("links", "links") as writer:
        ordered = [linked[entity] for entity in sorted(linked)]
        for first in range(0, len(ordered), BATCH_ROWS):
            writer.write(_frame(ordered[first : first + BATCH_ROWS]))
    return (
        StageCount("statement", statements, statements, 0, 0, len(linked), "entity"),
        StageCount("entity", len(linked), len(linked), 0, 0, statements, "statement"),
    )


def family(vocabulary: Vocabulary, type_: str) -> str:
    """The broad kind that a type belongs to: its ancestor next below the root. Only within one are pairs scored."""
    definition = vocabulary.type(type_)
    while definition.parent is not None and vocabulary.type(definition.parent).parent is not None:
        definition = vocabulary.type(definition.parent)
    return definition.name


def _link_batch(
    entities: Sequence[Features], vocabulary: Vocabulary, index: EntityIndex, tenant: TenantId, taken: set[str]
) -> _Batch:
    batch = _Batch()
    by_identifier = _known_identifiers(entities, index)
    unknown: list[Features] = []
    for entity in entities:
        owners = sorted({by_identifier[key] for key in _identifier_keys(entity) if key in by_identifier})
        if not owners:
            unknown.append(entity)
            continue
        canonical = owners[0]
        scheme = next(key[1] for key in _identifier_keys(entity) if by_identifier.get(key) == canonical)
        _keep(batch, entity, canonical, f"identifier:{scheme}", 1.0, {"says": f"The same {scheme}."}, vocabulary)
        batch.proposals += [_contradiction(canonical, other, entity) for other in owners[1:]]
        taken.add(canonical)
    _link_by_score(batch, unknown, vocabulary, index, tenant, taken)
    return batch


def _link_by_score(
    batch: _Batch,
    entities: Sequence[Features],
    vocabulary: Vocabulary,
    index: EntityIndex,
    tenant: TenantId,
    taken: set[str],
) -> None:
    """Link entities without a known identifier. No two rows of one table become one, however alike they are, unless
    they bear the same identifier; and nothing is linked that bears another identifier of the same scheme."""
    scored = [entity for entity in entities if family(vocabulary, entity.type) not in NEVER_BY_SCORE]
    candidates = _candidates(scored, vocabulary, index)
    known = index.features({name for names in candidates.values() for name in names})
    pairs = [(_canonical_of_new(tenant, entity), name) for entity in scored for name in candidates[entity.entity_id]]
    judged = index.judged({(min(pair), max(pair)) for pair in pairs})
    by_identifier: dict[tuple[str, str, str], str] = {}
    for entity in entities:
        again = next((by_identifier[key] for key in _identifier_keys(entity) if key in by_identifier), None)
        if again is not None:
            found_again = {"says": "Another row of the source has the same identifier."}
            _keep(batch, entity, again, "identifier:within-source", 1.0, found_again, vocabulary)
            continue
        own = _canonical_of_new(tenant, entity)
        ranked = sorted(
            (
                (_respecting(score(entity, known[name]), judged.get((min(own, name), max(own, name)))), name)
                for name in candidates.get(entity.entity_id, [])
                if name in known
                and name not in taken
                and name != own
                and compatible(vocabulary, entity.type, known[name].type)
                and not _contradict(entity, known[name])
            ),
            key=lambda pair: (-pair[0].bits, pair[1]),
        )
        best = ranked[0] if ranked else None
        if best is not None and best[0].match is Match.SAME:
            found, canonical = best
            _keep(batch, entity, canonical, "score", found.probability, found.explanation(), vocabulary)
            taken.add(canonical)
            by_identifier.update((key, canonical) for key in _identifier_keys(entity))
            continue
        _keep(batch, entity, own, "new", 1.0, {"says": "Nothing known is like it."}, vocabulary)
        taken.add(own)
        by_identifier.update((key, own) for key in _identifier_keys(entity))
        batch.proposals += [
            Proposal(min(own, name), max(own, name), found.probability, found.explanation())
            for found, name in ranked
            if found.match is Match.UNSURE
        ]


def compatible(vocabulary: Vocabulary, left: str, right: str) -> bool:
    """Whether two types can be of one thing: the same, or one the other's ancestor. A bus stop is no province."""
    return left in _lineage(vocabulary, right) or right in _lineage(vocabulary, left)


def _lineage(vocabulary: Vocabulary, type_: str) -> list[str]:
    names = [type_]
    while (parent := vocabulary.type(names[-1]).parent) is not None:
        names.append(parent)
    return names


def _respecting(found: Score, judgement: str | None) -> Score:
    """A score with what people have decided of the pair: their word stands."""
    if judgement is None:
        return found
    return Score(found.bits, Match(judgement), found.evidence)


def _known_identifiers(entities: Sequence[Features], index: EntityIndex) -> dict[tuple[str, str, str], str]:
    wanted: dict[str, set[tuple[str, str]]] = {}
    for entity in entities:
        wanted.setdefault(entity.type, set()).update(entity.identifiers)
    return {
        (type_, *identifier): canonical
        for type_, identifiers in wanted.items()
        for identifier, canonical in index.by_identifier(type_, identifiers).items()
    }


def _identifier_keys(entity: Features) -> Iterable[tuple[str, str, str]]:
    return [(entity.type, scheme, value) for scheme, value in entity.identifiers]


def _candidates(entities: Sequence[Features], vocabulary: Vocabulary, index: EntityIndex) -> dict[str, list[str]]:
    keys = {entity.entity_id: list(blocking_keys(entity)) for entity in entities}
    by_family: dict[str, set[tuple[str, str]]] = {}
    for entity in entities:
        by_family.setdefault(family(vocabulary, entity.type), set()).update(keys[entity.entity_id])
    found = {name: index.by_blocking_key(name, wanted) for name, wanted in by_family.items()}
    return {
        entity.entity_id: sorted(
            {name for key in keys[entity.entity_id] for name in found[family(vocabulary, entity.type)].get(key, [])}
        )
        for entity in entities
    }


def _canonical_of_new(tenant: TenantId, entity: Features) -> str:
    """The canonical id of an entity that nothing known is like: its identifier's where it has one, so that the order
    in which sources come does not matter."""
    if entity.identifiers:
        return short_id("can-", (tenant, entity.type, *min(entity.identifiers)))
    return short_id("can-", (tenant, entity.entity_id))


def _contradict(left: Features, right: Features) -> bool:
    """Whether the two bear different identifiers of the same scheme."""
    theirs = dict(right.identifiers)
    return any(scheme in theirs and theirs[scheme] != value for scheme, value in left.identifiers)


def _contradiction(canonical: str, other: str, entity: Features) -> Proposal:
    """One entity bears the identifiers of two: never merged in silence."""
    says = "A source gives one thing the identifiers of both."
    return Proposal(min(canonical, other), max(canonical, other), 0.5, {"says": says, "entity_id": entity.entity_id})


def _keep(
    batch: _Batch,
    entity: Features,
    canonical: str,
    method: str,
    certainty: float,
    explanation: Mapping[str, Any],
    vocabulary: Vocabulary,
) -> None:
    batch.members.append(Member(entity.entity_id, canonical, entity.type, method, certainty, explanation))
    before = batch.features.get(canonical)
    batch.features[canonical] = before.merged_with(entity) if before else entity
    batch.families[canonical] = family(vocabulary, entity.type)


def _frame(members: Sequence[Member]) -> pd.DataFrame:
    text = pa.string()
    frame: pd.DataFrame = pa.table(
        {
            "entity_id": pa.array([each.entity_id for each in members], text),
            "canonical_id": pa.array([each.canonical_id for each in members], text),
            "type": pa.array([each.type for each in members], text),
            "method": pa.array([each.method for each in members], text),
            "score": pa.array([each.score for each in members], pa.float64()),
            "explanation": pa.array(
                [json.dumps(each.explanation, ensure_ascii=False, sort_keys=True) for each in members], text
            ),
        }
    ).to_pandas(types_mapper=pd.ArrowDtype)
    return frame
