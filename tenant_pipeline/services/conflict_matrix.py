"""The conflict matrix, kept up source by source: only the entities that a source speaks of are compared again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.conflict.comparison import ConflictItem
from tenant_pipeline.core.conflict.find import find_conflicts
from tenant_pipeline.core.digest import sha256_of_json, short_id
from tenant_pipeline.core.stage import Stage, StageCount
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import sources, stage_records
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, code_version
from tenant_pipeline.services.identity import digest_with_identity
from tenant_pipeline.services.lineage import require_assembled
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import Connection, StageRecord
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.statements import candidates_for_source


def update_conflicts(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, *, run_id: str | None = None
) -> StageRecord:
    """Compare what this source says with what the tenant's other sources say of the same things, and keep the items.

    An item covers all sources that speak of it, so the counts of the others are brought up to date too. Raises
    SourceStoppedError when the source has not been assembled, GateClosedError when a gate behind it is closed.
    """
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        behind = require_assembled(connection, runtime, source)
        input_digest = digest_with_identity(connection, tenant, source_id, behind[Stage.ASSEMBLE].output_digest)
        version = code_version(CONFLICT_MATRIX)
        known = stage_records.find(connection, tenant, source_id, CONFLICT_MATRIX, input_digest, version)
        if known is not None:
            return known
        started = time.perf_counter()
        compared, items = 0, 0
        digests: list[str] = []
        vocabulary = runtime.contracts.vocabulary
        for frame in candidates_for_source(connection, tenant, source_id):
            compared += len(frame)
            found = find_conflicts(frame, vocabulary)
            items += len(found)
            digests += [item.candidates_digest for item in found]
            _keep(connection, tenant, source_id, found)
        _count_per_source(connection, tenant, source_id)
        record = StageRecord(
            stage=CONFLICT_MATRIX,
            input_digest=input_digest,
            code_version=version,
            output_digest=sha256_of_json(sorted(digests)),
            counts=(StageCount("candidate statement", compared, compared, 0, 0, items, "compared item"),),
            reject_codes={},
            seconds=time.perf_counter() - started,
            run_id=run_id,
        )
        stage_records.insert(connection, tenant, source_id, record)
        runtime.audit.append(
            connection,
            tenant,
            [
                AuditEntry(
                    actor="pipeline",
                    action="conflicts.compared",
                    subject=source_id,
                    details={"candidates": compared, "items": items, "output_digest": record.output_digest},
                )
            ],
        )
    return record


def _keep(connection: Connection, tenant: TenantId, source: SourceId, items: Iterable[ConflictItem]) -> None:
    rows = [(short_id("con-", (item.canonical_id, item.property, item.lang)), item) for item in items]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO runtime.conflicts
                   (tenant_id, conflict_id, canonical_id, type, property, lang, verdict, rule, candidates,
                    candidates_digest, proposed_value, proposed_rule, needs_person, status, updated_by_source)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (tenant_id, conflict_id) DO UPDATE
               SET verdict = excluded.verdict, rule = excluded.rule, candidates = excluded.candidates,
                   candidates_digest = excluded.candidates_digest, proposed_value = excluded.proposed_value,
                   proposed_rule = excluded.proposed_rule, needs_person = excluded.needs_person,
                   status = excluded.status, updated_by_source = excluded.updated_by_source
             WHERE conflicts.candidates_digest <> excluded.candidates_digest
            """,
            [
                (
                    tenant,
                    identifier,
                    item.canonical_id,
                    item.type,
                    item.property,
                    item.lang,
                    str(item.verdict),
                    item.rule,
                    Jsonb([candidate.as_json() for candidate in item.candidates]),
                    item.candidates_digest,
                    item.proposed_value,
                    item.proposed_rule,
                    item.needs_person,
                    "open" if item.verdict == "differs" else "explained",
                    source,
                )
                for identifier, item in rows
            ],
        )
        cursor.executemany(
            """
            INSERT INTO runtime.conflict_sources (tenant_id, conflict_id, source_id) VALUES (%s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            [
                (tenant, identifier, each)
                for identifier, item in rows
                for each in sorted({candidate.source_id for candidate in item.candidates})
            ],
        )


def _count_per_source(connection: Connection, tenant: TenantId, source: SourceId) -> None:
    """Bring `conflicts_count` up to date for this source and those it shares an item with."""
    connection.execute(
        """
        WITH touched AS (
            SELECT DISTINCT other.source_id
              FROM runtime.conflict_sources AS mine
              JOIN runtime.conflict_sources AS other USING (tenant_id, conflict_id)
             WHERE mine.tenant_id = %(tenant)s AND mine.source_id = %(source)s
        ), counted AS (
            SELECT touched.source_id, count(conflict.conflict_id) AS items
              FROM touched
              JOIN runtime.conflict_sources AS member
                ON member.tenant_id = %(tenant)s AND member.source_id = touched.source_id
              LEFT JOIN runtime.conflicts AS conflict
                ON conflict.tenant_id = member.tenant_id AND conflict.conflict_id = member.conflict_id
               AND conflict.verdict = 'differs' AND conflict.status = 'open'
             GROUP BY touched.source_id
        )
        UPDATE runtime.tenant_sources AS source SET conflicts_count = counted.items
          FROM counted
         WHERE source.tenant_id = %(tenant)s AND source.id = counted.source_id
           AND source.conflicts_count <> counted.items
        """,
        {"tenant": tenant, "source": source},
    )


def conflicts_of_source(runtime: Runtime, tenant: TenantId, source: SourceId) -> list[dict[str, Any]]:
    """How many items this source takes part in, by property, language, verdict and rule."""
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            """
            SELECT conflict.property, conflict.lang, conflict.verdict, conflict.rule, count(*) AS items
              FROM runtime.conflict_sources AS member
              JOIN runtime.conflicts AS conflict USING (tenant_id, conflict_id)
             WHERE member.tenant_id = %s AND member.source_id = %s
             GROUP BY conflict.property, conflict.lang, conflict.verdict, conflict.rule
             ORDER BY items DESC, conflict.property, conflict.lang, conflict.rule
            """,
            (tenant, source),
        ).fetchall()


def matrix_of_tenant(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """The matrix: how many items by source, property and verdict."""
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            """
            SELECT member.source_id, conflict.property, conflict.verdict, count(*) AS items
              FROM runtime.conflict_sources AS member
              JOIN runtime.conflicts AS conflict USING (tenant_id, conflict_id)
             WHERE member.tenant_id = %s
             GROUP BY member.source_id, conflict.property, conflict.verdict
             ORDER BY member.source_id, conflict.property, conflict.verdict
            """,
            (tenant,),
        ).fetchall()


def list_conflicts(
    runtime: Runtime,
    tenant: TenantId,
    *,
    source: SourceId | None,
    property_: str | None,
    verdict: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Items with their candidates, those for a person first; `label` is a name of the entity they are about."""
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            """
            SELECT conflict.conflict_id, conflict.canonical_id, conflict.type, conflict.property, conflict.lang,
                   conflict.verdict, conflict.rule, conflict.candidates, conflict.candidates_digest,
                   conflict.proposed_value, conflict.proposed_rule, conflict.needs_person, conflict.status,
                   (SELECT jsonb_agg(DISTINCT candidate ->> 'value')
                      FROM jsonb_array_elements(conflict.candidates) AS candidate) AS values,
                   coalesce(
                       (SELECT name.value FROM runtime.statements AS name
                         WHERE name.tenant_id = conflict.tenant_id AND name.canonical_id = conflict.canonical_id
                           AND name.property = 'name'
                         ORDER BY name.lang <> 'en', name.lang, name.value
                         LIMIT 1),
                       conflict.canonical_id) AS label
              FROM runtime.conflicts AS conflict
             WHERE conflict.tenant_id = %(tenant)s
               AND (%(property)s::text IS NULL OR conflict.property = %(property)s)
               AND (%(verdict)s::text IS NULL OR conflict.verdict = %(verdict)s)
               AND (%(source)s::text IS NULL OR EXISTS (
                       SELECT FROM runtime.conflict_sources AS member
                        WHERE member.tenant_id = conflict.tenant_id AND member.conflict_id = conflict.conflict_id
                          AND member.source_id = %(source)s))
             ORDER BY conflict.verdict <> 'differs', NOT conflict.needs_person, conflict.property, conflict.canonical_id
             LIMIT %(limit)s
            """,
            {"tenant": tenant, "source": source, "property": property_, "verdict": verdict, "limit": limit},
        ).fetchall()
