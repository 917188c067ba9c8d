"""What was measured of a tenant in a month: from its stage records, its objects and its instance's history."""

from __future__ import annotations

from datetime import datetime

from tenant_pipeline.core.cost.month import Interval, Month, hours_within
from tenant_pipeline.core.cost.price import Usage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.provisioning.operations import (
    COMPENSATED,
    DONE,
    Act,
    ProvisioningOperation,
    State,
    operations,
)
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime

ALL_OPERATIONS = 100_000


def usage_of(runtime: Runtime, tenant: TenantId, month: Month) -> Usage:
    """The tenant's usage. Raises NotFoundError for no such tenant."""
    show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        ran = connection.execute(
            """
            SELECT coalesce(sum(seconds), 0) AS seconds, coalesce(sum(rows_in), 0) AS rows FROM runtime.stage_runs
             WHERE tenant_id = %s AND finished_at >= %s AND finished_at < %s
            """,
            (tenant, month.begins, month.ends),
        ).fetchone()
        history = operations(connection, tenant, limit=ALL_OPERATIONS)
    assert ran is not None
    now = runtime.now()
    return Usage(
        run_seconds=float(ran["seconds"]),
        stored_bytes=sum(size for _, size in runtime.objects.listed(tenant)),
        rows=int(ran["rows"]),
        instance_hours=hours_within(_standing(history, now), month, now),
    )


def _standing(history: list[ProvisioningOperation], now: datetime) -> list[Interval]:
    """From when the instance was first healthy to when it was taken down, as often as that was."""
    intervals: list[Interval] = []
    since: datetime | None = None
    for operation in reversed(history):
        healthy = [each.at for each in operation.steps if (each.step, each.state) == ("instance_healthy", State.DONE)]
        ended = [each.at for each in operation.steps if each.step in (DONE, COMPENSATED) and each.state is State.DONE]
        takes_down = operation.act is Act.DEPROVISION or operation.broke_isolation
        if operation.act is Act.PROVISION and healthy and operation.outcome == DONE:
            since = since or healthy[0]
        elif takes_down and ended and since is not None:
            intervals.append((since, ended[0]))
            since = None
    return [*intervals, (since, now)] if since is not None else intervals
