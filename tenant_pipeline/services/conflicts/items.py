"""The rows of the matrix: found items take the place of those that stood for the same entities, in one transaction.

What somebody signed is never overwritten. Where its candidates are still the same the signature stands; where they
changed, the former candidates and the signature stay as history, a row says that the signature is void, and the item
is open again. An item whose sources no longer disagree becomes `stale`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.conflict.comparison import ConflictItem
from tenant_pipeline.core.conflict.explanation import explanation
from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.services.conflicts.relation import gravest, relations_of_values
from tenant_pipeline.services.coverage.consistency import keep_consistency
from tenant_pipeline.storage.database import Connection

PIPELINE = "pipeline"

# Whose rows a lookup reads is hidden from the planner, here and below (decision 28).
_STAGE = """
CREATE TEMPORARY TABLE looked_at ON COMMIT DROP AS
SELECT canonical_id FROM runtime.statements WHERE tenant_id = (SELECT %(tenant)s::text)
   AND source_id = %(source)s
 UNION
SELECT conflict.canonical_id
  FROM runtime.conflict_sources AS member JOIN runtime.conflicts AS conflict USING (tenant_id, conflict_id)
 WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
   AND member.relation <> 'withdrawn'
"""

_STAGE_ITEMS = """
CREATE TEMPORARY TABLE found (
    conflict_id text PRIMARY KEY, canonical_id text, type text, property text, lang text, verdict text, rule text,
    candidates jsonb, candidates_digest text, proposed_value text, proposed_rule text, needs_person boolean,
    explanation jsonb
) ON COMMIT DROP;
CREATE TEMPORARY TABLE found_sources (conflict_id text, source_id text, relation text) ON COMMIT DROP
"""

_INDEX = """
CREATE UNIQUE INDEX ON pg_temp.looked_at (canonical_id);
ANALYZE pg_temp.looked_at, pg_temp.found, pg_temp.found_sources
"""

# Locked in one order, so that whoever is signing one of these is waited for and then seen.
_TOUCH = """
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
SELECT conflict_id, candidates_digest, status, signature_number
  FROM runtime.conflicts AS conflict
 WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id IN (SELECT canonical_id FROM pg_temp.looked_at)
 ORDER BY conflict_id
   FOR UPDATE
"""

_CHANGED = """
CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
SELECT touched.conflict_id, touched.signature_number, found.conflict_id IS NULL AS gone
  FROM pg_temp.touched LEFT JOIN pg_temp.found USING (conflict_id)
 WHERE touched.status <> 'stale' AND touched.candidates_digest IS DISTINCT FROM found.candidates_digest
"""

_KEEP_VERSIONS = """
INSERT INTO runtime.conflict_versions
       (tenant_id, conflict_id, version, candidates_digest, candidates, verdict, proposed_value, proposed_rule,
        ended_by_source)
SELECT %(tenant)s, conflict_id,
       (SELECT count(*) FROM runtime.conflict_versions AS before
         WHERE before.tenant_id = (SELECT %(tenant)s::text) AND before.conflict_id = conflict.conflict_id),
       candidates_digest, candidates, verdict, proposed_value, proposed_rule, %(source)s
  FROM runtime.conflicts AS conflict
 WHERE tenant_id = (SELECT %(tenant)s::text) AND conflict_id IN (SELECT conflict_id FROM pg_temp.changed)
"""

_VOID = """
INSERT INTO runtime.conflict_signatures
       (tenant_id, conflict_id, number, decision, candidates_digest, source_id, statement_id, value, list_digest,
        person, role, reason)
SELECT %(tenant)s, conflict_id,
       (SELECT count(*) FROM runtime.conflict_signatures AS before
         WHERE before.tenant_id = (SELECT %(tenant)s::text) AND before.conflict_id = signed.conflict_id),
       'void', signed.candidates_digest, '', '', NULL, '', %(pipeline)s, %(pipeline)s,
       CASE WHEN changed.gone THEN %(gone)s ELSE %(changed)s END
  FROM pg_temp.changed
  JOIN runtime.conflict_signatures AS signed USING (conflict_id)
 WHERE signed.tenant_id = (SELECT %(tenant)s::text) AND signed.number = changed.signature_number
"""

_END = """
UPDATE runtime.conflicts AS conflict
   SET status = 'stale', signature_number = NULL, updated_by_source = %(source)s,
       reopened = conflict.reopened OR conflict.status = 'signed'
  FROM pg_temp.changed
 WHERE conflict.tenant_id = (SELECT %(tenant)s::text) AND conflict.conflict_id = changed.conflict_id AND changed.gone
"""

_KEEP = """
INSERT INTO runtime.conflicts AS kept
       (tenant_id, conflict_id, canonical_id, type, property, lang, verdict, rule, candidates, candidates_digest,
        proposed_value, proposed_rule, needs_person, explanation, status, updated_by_source)
SELECT %(tenant)s, conflict_id, canonical_id, type, property, lang, verdict, rule, candidates, candidates_digest,
       proposed_value, proposed_rule, needs_person, explanation,
       CASE verdict WHEN 'differs' THEN 'open' ELSE 'explained' END, %(source)s
  FROM pg_temp.found
 ORDER BY conflict_id
ON CONFLICT (tenant_id, conflict_id) DO UPDATE
   SET type = excluded.type, verdict = excluded.verdict, rule = excluded.rule, candidates = excluded.candidates,
       candidates_digest = excluded.candidates_digest, proposed_value = excluded.proposed_value,
       proposed_rule = excluded.proposed_rule, needs_person = excluded.needs_person,
       explanation = excluded.explanation, updated_by_source = excluded.updated_by_source,
       signature_number = CASE kept.candidates_digest WHEN excluded.candidates_digest THEN kept.signature_number END,
       reopened = kept.reopened
                  OR kept.status = 'signed' AND kept.candidates_digest <> excluded.candidates_digest,
       status = CASE WHEN kept.status = 'signed' AND kept.candidates_digest = excluded.candidates_digest THEN 'signed'
                     WHEN kept.status = 'signed' OR kept.reopened THEN 'open'
                     ELSE excluded.status END
 WHERE kept.status = 'stale'
    OR (kept.type, kept.verdict, kept.rule, kept.candidates, kept.candidates_digest, kept.proposed_value,
        kept.proposed_rule, kept.needs_person, kept.explanation)
       IS DISTINCT FROM
       (excluded.type, excluded.verdict, excluded.rule, excluded.candidates, excluded.candidates_digest,
        excluded.proposed_value, excluded.proposed_rule, excluded.needs_person, excluded.explanation)
"""

_KEEP_SOURCES = """
INSERT INTO runtime.conflict_sources AS kept (tenant_id, conflict_id, source_id, relation)
SELECT %(tenant)s, conflict_id, source_id, relation FROM pg_temp.found_sources ORDER BY conflict_id, source_id
ON CONFLICT (tenant_id, conflict_id, source_id) DO UPDATE SET relation = excluded.relation
 WHERE kept.relation <> excluded.relation
"""

_WITHDRAW_SOURCES = """
UPDATE runtime.conflict_sources AS member SET relation = 'withdrawn'
  FROM pg_temp.touched
 WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.conflict_id = touched.conflict_id
   AND member.relation <> 'withdrawn'
   AND NOT EXISTS (SELECT FROM pg_temp.found_sources AS found
                    WHERE found.conflict_id = member.conflict_id AND found.source_id = member.source_id)
"""

_SOURCES_OF_TOUCHED = """
SELECT DISTINCT member.source_id
  FROM runtime.conflicts AS conflict JOIN runtime.conflict_sources AS member USING (tenant_id, conflict_id)
 WHERE conflict.tenant_id = (SELECT %(tenant)s::text)
   AND conflict.canonical_id IN (SELECT canonical_id FROM pg_temp.looked_at)
"""


@dataclass(frozen=True)
class Kept:
    """What became of the matrix: items that ended, and signatures that became void."""

    stale: int
    voided: int


class FoundItems:
    """What is found for one source, gathered in temporary tables until `keep` puts it in the place of what stood."""

    def __init__(self, connection: Connection, tenant: TenantId, source: SourceId, vocabulary: Vocabulary) -> None:
        self._connection = connection
        self._tenant = tenant
        self._vocabulary = vocabulary
        self._parameters = {"tenant": tenant, "source": source, "pipeline": PIPELINE}
        connection.execute(_STAGE, self._parameters)
        connection.execute(_STAGE_ITEMS)

    def add(self, items: Iterable[ConflictItem]) -> None:
        """Take in items of whole groups. Nothing of the matrix changes yet."""
        rows: list[tuple[Any, ...]] = []
        members: list[tuple[str, str, str]] = []
        for item in items:
            identifier = short_id("con-", (item.canonical_id, item.property, item.lang))
            relations = relations_of_values(item, self._vocabulary.property(item.property))
            in_turn = item.proposed_values if len(item.proposed_values) > 1 else ()
            candidates = [
                {
                    **one.as_json(),
                    "relation": str(relations[one.value]),
                    **({"proposed": True} if one.value in in_turn else {}),
                }
                for one in item.candidates
            ]
            rows.append(
                (identifier, item.canonical_id, item.type, item.property, item.lang, str(item.verdict), item.rule,
                 Jsonb(candidates), item.candidates_digest, item.proposed_value, item.proposed_rule,
                 item.needs_person, Jsonb(explanation(item)))
            )  # fmt: skip
            for source in sorted({one.source_id for one in item.candidates}):
                said = (relations[one.value] for one in item.candidates if one.source_id == source)
                members.append((identifier, source, str(gravest(said))))
        with self._connection.cursor() as cursor:
            with cursor.copy("COPY pg_temp.found FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            with cursor.copy("COPY pg_temp.found_sources FROM STDIN") as copy:
                for member in members:
                    copy.write_row(member)

    def keep(self, dimensions: Sequence[CoverageDimension]) -> Kept:
        """Put what was found in the place of what stood for the entities that the source speaks of, or spoke of."""
        connection, parameters = self._connection, self._parameters
        connection.execute(_INDEX)
        connection.execute(_TOUCH, parameters)
        connection.execute(_CHANGED)
        connection.execute(_KEEP_VERSIONS, parameters)
        why = {
            "gone": say("Its sources no longer disagree."),
            "changed": say("Its candidates or their rules changed."),
        }
        voided = connection.execute(_VOID, {**parameters, **why}).rowcount
        stale = connection.execute(_END, parameters).rowcount
        connection.execute(_KEEP, parameters)
        connection.execute(_KEEP_SOURCES, parameters)
        connection.execute(_WITHDRAW_SOURCES, parameters)
        sources = [row["source_id"] for row in connection.execute(_SOURCES_OF_TOUCHED, parameters)]
        count_open_items(connection, self._tenant, sources, dimensions)
        connection.execute(
            "DROP TABLE pg_temp.looked_at, pg_temp.found, pg_temp.found_sources, pg_temp.touched, pg_temp.changed"
        )
        return Kept(stale, voided)


# What a source says beside itself, as a table and as an AI's text in it, is an item too, and shared with nobody.
_COUNT = """
WITH counted AS MATERIALIZED (
    SELECT asked.source_id, count(*) FILTER (WHERE item.disputed) AS items,
           count(*) FILTER (WHERE item.shared) AS shared,
           count(*) FILTER (WHERE item.shared AND item.disputed) AS disputed
      FROM unnest(%(sources)s::text[]) AS asked (source_id)
      LEFT JOIN LATERAL (
           SELECT conflict.verdict = 'differs' AND conflict.status = 'open' AS disputed,
                  EXISTS (SELECT FROM runtime.conflict_sources AS other
                           WHERE other.tenant_id = (SELECT %(tenant)s::text) AND other.conflict_id = member.conflict_id
                             AND other.source_id <> member.source_id AND other.relation <> 'withdrawn') AS shared
             FROM runtime.conflict_sources AS member
             JOIN runtime.conflicts AS conflict
               ON conflict.tenant_id = (SELECT %(tenant)s::text) AND conflict.conflict_id = member.conflict_id
              AND conflict.status <> 'stale'
            WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = asked.source_id
              AND member.relation <> 'withdrawn') AS item ON true
     GROUP BY asked.source_id
), updated AS (
    UPDATE runtime.tenant_sources AS source SET conflicts_count = counted.items
      FROM counted
     WHERE source.tenant_id = (SELECT %(tenant)s::text) AND source.id = counted.source_id
       AND source.conflicts_count <> counted.items
)
SELECT source_id, shared, disputed FROM counted
"""


def count_open_items(
    connection: Connection, tenant: TenantId, sources: list[str], dimensions: Sequence[CoverageDimension]
) -> None:
    """Bring `conflicts_count` of these sources up to date, the items that differ and are open, and their consistency.

    The sources are locked first, so that of two who count at once the second counts what the first has written.
    """
    parameters = {"tenant": tenant, "sources": sources}
    connection.execute(
        """
        SELECT FROM runtime.tenant_sources WHERE tenant_id = (SELECT %(tenant)s::text) AND id = ANY(%(sources)s)
         ORDER BY id FOR NO KEY UPDATE
        """,
        parameters,
    )
    counted = connection.execute(_COUNT, parameters).fetchall()
    keep_consistency(
        connection, tenant, [(row["source_id"], row["shared"], row["disputed"]) for row in counted], dimensions
    )
