"""The rows that a stage did not let pass, as it wrote them down: where each is and why, never what it says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.lineage import lineage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source


def rejects_of_stage(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, stage: Stage, limit: int
) -> Iterator[dict[str, Any]]:
    """At most `limit` rejects of a stage as the source stands now; none before the stage has run.

    Raises NotFoundError for no such source.
    """
    with runtime.database.tenant(tenant) as connection:
        source = get_source(connection, tenant, source_id)
        record = lineage(connection, runtime, source).get(stage)
    if record is None:
        return iter(())
    stored = runtime.stage_store(tenant).read(record.output_digest)
    rows = (row for frame in stored.rejects() for row in frame.to_dict("records"))
    return islice(({str(name): value for name, value in row.items()} for row in rows), limit)
