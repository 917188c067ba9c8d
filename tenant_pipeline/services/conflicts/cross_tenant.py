"""What two tenants say differently of one thing: shown to platform governance, and to nobody else.

Read with governance's own login, which PostgreSQL shows nothing but things that two tenants name by the same
identifier. Those tenants are read that the person governs, and each has it in its audit log before the first row is
read. Nothing is resolved across
tenants: each keeps its own value, and none is proposed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tenant_pipeline.core.conflict.comparators.registry import compare
from tenant_pipeline.core.conflict.comparison import SEVERITY, Compared, Verdict
from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.statement import AI_MARK, AI_TIER
from tenant_pipeline.core.vocabulary import PropertyDefinition, Vocabulary
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.reading_across import GOVERNING_ROLE, note_reading
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

MOST_PLACES = 1_000

Entity = tuple[str, str]
"""A tenant and a canonical id of its own."""

_SHARED = """
SELECT scheme, value, type, array_agg(DISTINCT tenant_id) AS tenants,
       jsonb_agg(DISTINCT jsonb_build_array(tenant_id, canonical_id)) AS entities
  FROM runtime.entity_keys
 WHERE kind = 'identifier' AND type <> 'Person'
   AND tenant_id = ANY(%(governed)s)
   AND (%(after)s::text[] IS NULL OR (scheme, value, type) > (%(after)s[1], %(after)s[2], %(after)s[3]))
 GROUP BY scheme, value, type HAVING count(DISTINCT tenant_id) > 1
 ORDER BY scheme, value, type
 LIMIT %(limit)s
"""

# Entity by entity through the index, whatever the planner believes: of each row that it looks at it must ask whether
# governance may see it.
_SAID = """
SELECT said.tenant_id, said.canonical_id, said.property, said.lang, said.value, said.source_id, said.statement_id,
       said.locator,
       CASE WHEN starts_with(said.method, %(ai)s) THEN greatest(source.authority_rank, %(ai_tier)s)
            ELSE source.authority_rank END AS authority_tier
  FROM unnest(%(tenants)s::text[], %(entities)s::text[]) AS asked (tenant_id, canonical_id)
 CROSS JOIN LATERAL (
       SELECT tenant_id, canonical_id, property, lang, value, source_id, statement_id, locator, method
         FROM runtime.statements
        WHERE tenant_id = asked.tenant_id AND canonical_id = asked.canonical_id AND retired_at IS NULL
       OFFSET 0) AS said
  JOIN runtime.tenant_sources AS source ON source.tenant_id = said.tenant_id AND source.id = said.source_id
 ORDER BY authority_tier, said.tenant_id, said.source_id, said.statement_id
"""

_DECIDED = """
SELECT conflict.tenant_id, conflict.canonical_id, conflict.property, conflict.lang, conflict.proposed_value,
       signature.decision, signature.value
  FROM unnest(%(tenants)s::text[], %(entities)s::text[]) AS asked (tenant_id, canonical_id)
 CROSS JOIN LATERAL (
       SELECT tenant_id, conflict_id, canonical_id, property, lang, proposed_value, signature_number
         FROM runtime.conflicts
        WHERE tenant_id = asked.tenant_id AND canonical_id = asked.canonical_id AND status <> 'stale'
       OFFSET 0) AS conflict
  LEFT JOIN LATERAL (
       SELECT decision, value FROM runtime.conflict_signatures
        WHERE tenant_id = conflict.tenant_id AND conflict_id = conflict.conflict_id
          AND number = conflict.signature_number
       OFFSET 0) AS signature ON true
"""


@dataclass(frozen=True)
class Branch:
    """What one tenant holds, how it came to it, and who says so: a value, or several where all are right or nothing
    in the tenant disputes them."""

    values: tuple[str, ...]
    standing: str
    statements: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The branch as the command line gives it."""
        return {"values": list(self.values), "standing": self.standing, "statements": [*map(dict, self.statements)]}


@dataclass(frozen=True)
class Places:
    """Places of which tenants say different things, and where to go on: `next` is None after the last shared place."""

    places: list[dict[str, Any]]
    next: list[str] | None


def conflicts_across_tenants(
    runtime: Runtime, *, reader: Signer, limit: int = 100, after: Sequence[str] | None = None
) -> Places:
    """Places that at least two tenants name by the same identifier, with what the tenants say differently of them.

    `limit` places are read, those without a difference left out of the answer; `after` is the `next` of the answer
    before: the last place that was read (scheme, value, type). `agreeing` counts the other properties in which the
    tenants agree: where it is 0, the identifiers may coincide by chance. Raises NotAllowedError for another role than
    that of platform governance, and where the person has it in no tenant, InputError where person or reason is missing.
    """
    if reader.role != GOVERNING_ROLE:
        raise NotAllowedError(
            f"The role {reader.role} may not do this", where="--role", remedy=f"{GOVERNING_ROLE} may."
        )
    if after is not None and len(after) != 3:
        raise InputError("A place has a scheme, a value and a type", where="--after")
    governed = note_reading(
        runtime,
        person=reader.person,
        reason=reader.reason,
        action="governance.cross-tenant-read",
        subject="conflicts",
    )
    most = min(limit, MOST_PLACES)
    with runtime.database.governance() as connection:
        shared = connection.execute(
            _SHARED,
            {"governed": governed, "after": list(after) if after else None, "limit": most},
        ).fetchall()
        entities = sorted({(tenant, entity) for place in shared for tenant, entity in place["entities"]})
        branches = _branches(connection, entities)
    found = (_place(row, branches, runtime.contracts.vocabulary) for row in shared)
    last = _named(shared[-1]) if len(shared) == most else None
    return Places([place for place in found if place["conflicts"]], last)


def _named(shared: Mapping[str, Any]) -> list[str]:
    return [shared["scheme"], shared["value"], shared["type"]]


def _branches(connection: Connection, entities: Sequence[Entity]) -> Mapping[Entity, Mapping[tuple[str, str], Branch]]:
    """What each entity's tenant holds of it, by property and language."""
    parameters = {
        "tenants": [tenant for tenant, _ in entities],
        "entities": [entity for _, entity in entities],
        "ai": AI_MARK,
        "ai_tier": AI_TIER,
    }
    decided = {
        (row["tenant_id"], row["canonical_id"], row["property"], row["lang"]): row
        for row in connection.execute(_DECIDED, parameters)
    }
    said: dict[tuple[str, str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(_SAID, parameters):
        key = (row.pop("tenant_id"), row.pop("canonical_id"), row.pop("property"), row.pop("lang"))
        said[key].append(row)
    branches: dict[Entity, dict[tuple[str, str], Branch]] = defaultdict(dict)
    for (tenant, entity, property_, lang), statements in said.items():
        key = (tenant, entity, property_, lang)
        branches[tenant, entity][property_, lang] = _branch(statements, decided.get(key))
    return branches


def _branch(statements: Sequence[dict[str, Any]], decided: Mapping[str, Any] | None) -> Branch:
    said = tuple(sorted({one["value"] for one in statements}))
    if decided is None:
        return Branch(said, "undisputed", tuple(statements))
    if decided["decision"] == "both-right":
        return Branch(said, "both-right", tuple(statements))
    if decided["decision"] is not None:
        return Branch((decided["value"],), decided["decision"], tuple(statements))
    proposed = decided["proposed_value"]
    return Branch((statements[0]["value"] if proposed is None else proposed,), "proposal", tuple(statements))


def _place(
    shared: Mapping[str, Any],
    branches: Mapping[Entity, Mapping[tuple[str, str], Branch]],
    vocabulary: Vocabulary,
) -> dict[str, Any]:
    held: dict[tuple[str, str], dict[str, Branch]] = defaultdict(dict)
    for tenant, entity in shared["entities"]:
        for group, branch in branches.get((tenant, entity), {}).items():
            held[group].setdefault(tenant, branch)
    agreeing, conflicts = 0, []
    for (property_, lang), by_tenant in sorted(held.items()):
        definition = vocabulary.properties.get(property_)
        if definition is None or definition.multi_valued or definition.identifying or len(by_tenant) < 2:
            continue
        compared = _compare(list(by_tenant.values()), lang, definition)
        if compared.verdict is not Verdict.DIFFERS:
            agreeing += compared.verdict is not Verdict.INCOMPARABLE
            continue
        conflicts.append(
            {
                "property": property_,
                "lang": lang,
                "rule": compared.rule,
                "branches": {tenant: branch.as_json() for tenant, branch in sorted(by_tenant.items())},
            }
        )
    return {
        "place": _named(shared),
        "entities": dict(sorted(shared["entities"])),
        "agreeing": agreeing,
        "conflicts": conflicts,
    }


def _compare(branches: Sequence[Branch], lang: str, definition: PropertyDefinition) -> Compared:
    """The gravest verdict between two branches; of two that hold several values, the closest pair counts."""

    def gravity(compared: Compared) -> int:
        return SEVERITY[compared.verdict]

    return max(
        (
            min(
                (compare(left, right, lang, definition) for left in one.values for right in other.values),
                key=gravity,
            )
            for one, other in combinations(branches, 2)
        ),
        key=gravity,
    )
