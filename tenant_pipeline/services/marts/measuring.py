"""What the marts cannot count themselves: the coverage that a tenant is shown, and its cost by the price table.

Each tenant is measured once a day, and again when its audit log has grown since; the row of the day (of the month, for
cost) is brought up to date. A month that was measured last before it ended is measured once more: its bill is whole.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tenant_pipeline.core.business_calendar import BANGKOK
from tenant_pipeline.core.cost.month import Month
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.cost.billing import cost_of
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime

_DUE = """
SELECT tenant.id FROM runtime.tenants AS tenant
 WHERE NOT EXISTS (SELECT FROM runtime.erasure_steps AS step WHERE step.tenant_id = tenant.id)
   AND NOT EXISTS (
       SELECT FROM runtime.coverage_history AS history
        WHERE history.tenant_id = tenant.id AND history.day = %(today)s
          AND history.measured_at > coalesce((SELECT entry.at FROM runtime.audit_log AS entry
                                               WHERE entry.tenant_id = tenant.id
                                               ORDER BY entry.sequence DESC LIMIT 1), '-infinity'))
 ORDER BY tenant.id
"""

_MEASURED = """
SELECT month, max(measured_at) AS measured_at FROM runtime.cost_history
 WHERE tenant_id = %s AND month < %s GROUP BY month
"""

_KEEP_COVERAGE = """
INSERT INTO runtime.coverage_history
       (tenant_id, day, dimension, numerator, denominator, score, band, counts_as, blocking, measured_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (tenant_id, day, dimension) DO UPDATE
   SET numerator = excluded.numerator, denominator = excluded.denominator, score = excluded.score,
       band = excluded.band, counts_as = excluded.counts_as, blocking = excluded.blocking,
       measured_at = excluded.measured_at
"""

_KEEP_COST = """
INSERT INTO runtime.cost_history
       (tenant_id, month, item, quantity, unit, price, amount, currency, measured_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (tenant_id, month, item) DO UPDATE
   SET quantity = excluded.quantity, unit = excluded.unit, price = excluded.price, amount = excluded.amount,
       currency = excluded.currency, measured_at = excluded.measured_at
"""


def measure_tenants(runtime: Runtime) -> list[TenantId]:
    """Measure the tenants that are due, and return them. Raises SettingsError for a price table that is none."""
    now = runtime.now()
    with runtime.database.platform() as connection:
        rows = connection.execute(_DUE, {"today": now.astimezone(BANGKOK).date()}).fetchall()
    due = [TenantId(row["id"]) for row in rows]
    for tenant in due:
        _measure(runtime, tenant, runtime.now())
    return due


def _measure(runtime: Runtime, tenant: TenantId, now: datetime) -> None:
    today = now.astimezone(BANGKOK).date()
    coverage = [
        (
            tenant, today, each.dimension.id, each.found.numerator, each.found.denominator, each.found.score,
            str(each.found.band), str(each.counts_as), each.dimension.blocking, now,
        )
        for each in read_coverage(runtime, tenant)
    ]  # fmt: skip
    costs = [cost_of(runtime, tenant, month) for month in _months_to_measure(runtime, tenant, now)]
    lines = [
        (
            tenant, cost.month.first_day(), line.item, line.quantity, line.unit, line.price, line.amount, cost.currency,
            now,
        )
        for cost in costs for line in cost.lines
    ]  # fmt: skip
    with runtime.database.platform() as connection, connection.cursor() as cursor:
        cursor.executemany(_KEEP_COVERAGE, coverage)
        cursor.executemany(_KEEP_COST, lines)


def _months_to_measure(runtime: Runtime, tenant: TenantId, now: datetime) -> list[Month]:
    """The present month, and those that have ended since they were measured; the one before also where it never was."""
    present = Month.of(now)
    before = Month.of(present.begins - timedelta(microseconds=1))
    with runtime.database.platform() as connection:
        rows = connection.execute(_MEASURED, (tenant, present.first_day())).fetchall()
    measured = {Month(row["month"].year, row["month"].month): row["measured_at"] for row in rows}
    ended = [month for month, at in measured.items() if at < month.ends]
    if before not in measured and show_tenant(runtime, tenant)["created_at"] < before.ends:
        ended.append(before)
    return [*sorted(ended), present]
