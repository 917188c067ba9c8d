"""Sources wherever a test has them in the line for a run, without a walk through the stages."""

from __future__ import annotations

from itertools import count

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime

_NUMBERS = count(1)


def new_sources(runtime: Runtime, tenant: TenantId, number: int, status: str = "received") -> list[SourceId]:
    """So many sources of this status, with nothing handed in."""
    added = [SourceId(f"src-{next(_NUMBERS):016x}") for _ in range(number)]
    with runtime.database.tenant(tenant) as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO runtime.tenant_sources
                   (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank, received_by)
            VALUES (%s, %s, 'press', 'single-file', 'x', repeat('0', 64), %s, 2, 'test')
            """,
            [(tenant, each, status) for each in added],
        )
    return added
