"""Runs on record, for tests of what they cost."""

from __future__ import annotations

import uuid

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime


def record_stage_run(runtime: Runtime, tenant: TenantId, seconds: float, rows: int, at: str) -> None:
    """A run of a stage that took so long over so many rows, and ended then."""
    with runtime.database.administration() as connection:
        connection.execute(
            """
            INSERT INTO runtime.tenant_sources
                   (tenant_id, id, origin, unit_mode, title, filename, url, unit_digest, rights, ingest_stage,
                    ingest_status, authority_rank, received_by)
            VALUES (%s, 'src-00000000000000aa', 'press', 'folder', 't', '', '', %s, '', '', 'received', 1, 'test')
            ON CONFLICT DO NOTHING
            """,
            (tenant, "a" * 64),
        )
        connection.execute(
            """
            INSERT INTO runtime.stage_runs
                   (tenant_id, source_id, stage, input_digest, code_version, output_digest, counts, rows_in, rows_out,
                    rows_rejected, rows_quarantined, reject_codes, seconds, finished_at)
            VALUES (%s, 'src-00000000000000aa', 'extract', %s, '1', '', '[]', %s, 0, 0, 0, '{}', %s, %s)
            """,
            (tenant, uuid.uuid4().hex, rows, seconds, at),
        )
