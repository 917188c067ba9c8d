"""The counts behind the dimensions, of a source or of a tenant."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.conflict.comparison import AI_ORIGINS
from tenant_pipeline.core.coverage.dimensions import LANGUAGES
from tenant_pipeline.core.statement import AI_TIER
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.services.coverage.scope import THINGS, Scope
from tenant_pipeline.storage.database import Connection

_DISPUTE = """
  LEFT JOIN runtime.conflicts AS conflict
    ON conflict.tenant_id = (SELECT %(tenant)s::text) AND conflict.canonical_id = fact.canonical_id
   AND conflict.property = fact.property AND conflict.lang = fact.lang
   AND conflict.verdict = 'differs' AND conflict.status = 'open'
"""
_FACTS_OF_A_SOURCE = f"""
SELECT count(*) AS facts,
       count(*) FILTER (WHERE others.agreeing > 0) AS corroborated,
       count(*) FILTER (WHERE others.speaking > 0) AS shared,
       count(*) FILTER (WHERE others.speaking > 0 AND conflict.conflict_id IS NOT NULL) AS disputed
  FROM (SELECT canonical_id, property, lang, array_agg(DISTINCT value) AS values FROM mine
         GROUP BY canonical_id, property, lang) AS fact
  CROSS JOIN LATERAL (
        SELECT count(*) AS speaking,
               count(*) FILTER (WHERE other.value = ANY(fact.values) AND other.authority_tier < %(ai_tier)s
                                  AND other.origin <> ALL(%(ai_origins)s)) AS agreeing
          FROM runtime.statement_facts AS other
         WHERE other.tenant_id = (SELECT %(tenant)s::text) AND other.canonical_id = fact.canonical_id
           AND other.property = fact.property AND other.lang = fact.lang AND other.source_id <> %(source)s
       ) AS others
{_DISPUTE}
"""

# A tenant's fact is shared where two sources speak of it, corroborated where two that are no AI say one value.
_FACTS_OF_A_TENANT = f"""
SELECT count(*) AS facts,
       count(*) FILTER (WHERE fact.most_agreeing >= 2) AS corroborated,
       count(*) FILTER (WHERE fact.sources >= 2) AS shared,
       count(*) FILTER (WHERE fact.sources >= 2 AND conflict.conflict_id IS NOT NULL) AS disputed
  FROM (SELECT canonical_id, property, lang, count(DISTINCT source_id) AS sources,
               max(agreeing) AS most_agreeing
          FROM (SELECT canonical_id, property, lang, source_id,
                       count(*) FILTER (WHERE authority_tier < %(ai_tier)s AND origin <> ALL(%(ai_origins)s))
                           OVER (PARTITION BY canonical_id, property, lang, value) AS agreeing
                  FROM (SELECT DISTINCT canonical_id, property, lang, value, source_id, authority_tier, origin
                          FROM mine) AS said) AS counted
         GROUP BY canonical_id, property, lang) AS fact
{_DISPUTE}
"""

_NESTED_LOOPS = "SELECT set_config('enable_nestloop', %s, true)"


def expected_pairs(vocabulary: Vocabulary) -> dict[str, list[str]]:
    """Expected (type, property) pairs of the contract, as two lists of equal length for SQL."""
    pairs = [(name, expected) for name, definition in vocabulary.types.items() for expected in definition.expected]
    return {"types": [type_ for type_, _ in pairs], "properties": [property_ for _, property_ in pairs]}


def slots(connection: Connection, scope: Scope, vocabulary: Vocabulary) -> tuple[int, int]:
    """Expected (entity, property) pairs, and how many of them are filled."""
    row = scope.rows(
        connection,
        f"""
        , {THINGS}
        SELECT count(*) AS expected,
               count(*) FILTER (WHERE wanted.property = ANY (things.properties)) AS filled
          FROM things CROSS JOIN LATERAL unnest(things.types) AS own (type)
          JOIN unnest(%(types)s::text[], %(properties)s::text[]) AS wanted (type, property) USING (type)
        """,
        **expected_pairs(vocabulary),
    )[0]
    return row["expected"], row["filled"]


def names_by_language(connection: Connection, scope: Scope) -> dict[str, int]:
    """How many entities have a name in each language; under "" how many have any."""
    rows = scope.rows(
        connection,
        "SELECT lang, count(DISTINCT thing) AS entities FROM mine WHERE property = 'name' GROUP BY ROLLUP (lang)",
    )
    return {row["lang"] or "": row["entities"] for row in rows if row["lang"] is None or row["lang"] in LANGUAGES}


def facts(connection: Connection, scope: Scope) -> dict[str, Any]:
    """Facts: how many, said the same by another source that is no AI, shared with another, and disputed."""
    query = _FACTS_OF_A_SOURCE if scope.source else _FACTS_OF_A_TENANT
    # A tenant that the database's statistics do not know yet is taken for a row or two, and its conflicts looked
    # through for each fact.
    connection.execute(_NESTED_LOOPS, ("off",))
    found = scope.rows(connection, query, ai_tier=AI_TIER, ai_origins=sorted(AI_ORIGINS))[0]
    connection.execute(_NESTED_LOOPS, ("on",))
    return found


def template_types_present(
    connection: Connection, scope: Scope, vocabulary: Vocabulary, template: tuple[str, ...]
) -> list[str]:
    """Those types of the template of which, or of a kind of which, there is an entity."""
    present = {row["type"] for row in scope.rows(connection, "SELECT DISTINCT type FROM mine")}
    return [wanted for wanted in template if any(_is_a(vocabulary, type_, wanted) for type_ in present)]


def _is_a(vocabulary: Vocabulary, type_: str, ancestor: str) -> bool:
    name: str | None = type_
    while name is not None:
        if name == ancestor:
            return True
        name = vocabulary.type(name).parent
    return False
