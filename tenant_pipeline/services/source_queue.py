"""The line in which sources wait for the stages: who is put there, who stands there, and how far each has come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import SOURCE_COLUMNS, Source, source_of
from tenant_pipeline.storage.database import Connection

OUT_OF_LINE = ("stopped", "running", "assembled")
"""The statuses of sources that can be put in line: others stand there already, or were withdrawn for good."""


def put_in_line(
    connection: Connection,
    tenant: TenantId,
    sources: Collection[SourceId] | None = None,
    *,
    origin: Origin | None = None,
    among: Collection[str] = OUT_OF_LINE,
) -> None:
    """Put a tenant's sources in line, behind all that stand there: all of them, these only, or those of an origin.

    Only those whose status is one of `among` go there. What is decided of a source concerns it in each of them: one
    that a run has in hand begins anew.
    """
    connection.execute(
        """
        UPDATE runtime.tenant_sources SET ingest_status = 'waiting', queued_at = clock_timestamp()
         WHERE tenant_id = %(tenant)s AND ingest_status = ANY(%(among)s)
           AND (%(sources)s::text[] IS NULL OR id = ANY(%(sources)s::text[]))
           AND (%(origin)s::text IS NULL OR origin = %(origin)s)
        """,
        {
            "tenant": tenant,
            "sources": None if sources is None else list(sources),
            "origin": str(origin) if origin else None,
            "among": list(among),
        },
    )


def waiting_sources(runtime: Runtime, limit: int, *, of_a_tenant: int) -> list[Source]:
    """Sources of all tenants that nobody has begun, or that may go on by now: the sensor's work list.

    Tenants take turns, each with what has waited longest first, and none has more than `of_a_tenant` in it: what a
    tenant has beyond that comes when those have moved on. So nobody waits behind all that another tenant has. What a
    tenant out of service has in line stays there until it is back.
    """
    with runtime.database.platform() as connection:
        rows = connection.execute(
            f"""
            SELECT {SOURCE_COLUMNS}
              FROM (SELECT DISTINCT tenant_id AS whose FROM runtime.tenant_sources
                     WHERE ingest_status IN ('received', 'waiting')
                       AND (not_before IS NULL OR not_before <= clock_timestamp())
                    EXCEPT SELECT id FROM runtime.tenants WHERE status IN ('suspended', 'archived')) AS tenants
              CROSS JOIN LATERAL (
                    SELECT *, row_number() OVER (ORDER BY queued_at, id) AS turn FROM runtime.tenant_sources
                     WHERE tenant_id = tenants.whose AND ingest_status IN ('received', 'waiting')
                       AND (not_before IS NULL OR not_before <= clock_timestamp())
                     ORDER BY queued_at, id LIMIT %s) AS source
             ORDER BY turn, queued_at, tenant_id, id
             LIMIT %s
            """,
            (of_a_tenant, limit),
        ).fetchall()
    return [source_of(row) for row in rows]


def in_line(runtime: Runtime, sources: Collection[tuple[TenantId, SourceId]]) -> list[Source]:
    """Those of the sources, of whichever tenants, that stand in line: however far back, and for however long."""
    with runtime.database.platform() as connection:
        rows = connection.execute(
            f"""
            SELECT {SOURCE_COLUMNS} FROM runtime.tenant_sources
             WHERE (tenant_id, id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
               AND ingest_status IN ('received', 'waiting')
            """,
            ([tenant for tenant, _ in sources], [source for _, source in sources]),
        ).fetchall()
    return [source_of(row) for row in rows]


def sources_on_their_way(runtime: Runtime, quiet_for: timedelta) -> list[tuple[TenantId, SourceId]]:
    """Sources of all tenants that are on their way, and were neither put in line nor made a step for so long."""
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT tenant_id, id FROM runtime.tenant_sources AS source
             WHERE ingest_status = 'running' AND queued_at < clock_timestamp() - %(quiet_for)s
               AND NOT EXISTS (SELECT FROM runtime.stage_runs AS run
                                WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id
                                  AND run.finished_at >= clock_timestamp() - %(quiet_for)s)
             ORDER BY tenant_id, id
            """,
            {"quiet_for": quiet_for},
        ).fetchall()
    return [(TenantId(row["tenant_id"]), SourceId(row["id"])) for row in rows]


def set_progress(
    connection: Connection,
    tenant: TenantId,
    source: SourceId,
    stage: str,
    status: str,
    *,
    since: datetime | None = None,
) -> None:
    """Note how far a source has come; writes nothing when that is known already, or it was withdrawn meanwhile.

    What was put in line after `since`, when the stage began, waits on: what was decided then is not in its outcome.
    """
    connection.execute(
        """
        UPDATE runtime.tenant_sources
           SET ingest_stage = %(stage)s,
               ingest_status = CASE WHEN ingest_status = 'waiting' AND queued_at > %(since)s::timestamptz
                                    THEN ingest_status ELSE %(status)s END
         WHERE tenant_id = %(tenant)s AND id = %(source)s AND ingest_status <> 'withdrawn'
           AND (ingest_stage, ingest_status) IS DISTINCT FROM (%(stage)s, %(status)s)
        """,
        {"tenant": tenant, "source": source, "stage": stage, "status": status, "since": since},
    )


def forget_hindrance(connection: Connection, tenant: TenantId, source: SourceId, *, through: bool) -> None:
    """Note that a source has gone on; one that is `through`, its judgements included, is run with others again."""
    connection.execute(
        """
        UPDATE runtime.tenant_sources
           SET hindrance = NULL, outages = 0, losses = 0, not_before = NULL, alone = alone AND NOT %(through)s
         WHERE tenant_id = %(tenant)s AND id = %(source)s
           AND (hindrance IS NOT NULL OR outages > 0 OR losses > 0 OR not_before IS NOT NULL
                OR alone AND %(through)s)
        """,
        {"tenant": tenant, "source": source, "through": through},
    )
