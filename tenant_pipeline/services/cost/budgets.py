"""A tenant's monthly budget, set by people; and alerts, once for each threshold and month."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tenant_pipeline.core.cost.month import Month
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.cost.billing import cost_of, prices
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.registry import list_tenants, show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

BUDGETING_ROLES = ("tenant-admin", *OVERRIDE_ROLES)
THRESHOLDS = (Decimal("0.5"), Decimal("0.8"), Decimal("1.0"))
"""The shares of a budget at which there is an alert."""


def set_budget(
    runtime: Runtime, tenant: TenantId, amount: Decimal, *, person: str, role: str, reason: str
) -> dict[str, Any]:
    """Set what the tenant may cost in a month, in the price table's currency. Audited.

    Raises InputError for an amount that is none or no reason, NotAllowedError without the role.
    """
    if not amount.is_finite() or amount <= 0:
        raise InputError("A budget is more than nothing", where="--amount")
    if not reason.strip():
        raise InputError("A budget needs a reason", where="--reason")
    show_tenant(runtime, tenant)
    currency = prices(runtime).currency
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, BUDGETING_ROLES)
        connection.execute(
            """
            INSERT INTO runtime.cost_budgets (tenant_id, amount, currency, person, role, reason)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            (tenant, amount, currency, person, role, reason),
        )
        details = {"amount": str(amount), "currency": currency, "role": role, "reason": reason}
        entry = AuditEntry(actor=person, action="cost.budget", subject=tenant, details=details)
        runtime.audit.append(connection, tenant, [entry])
        return _budget(connection, tenant) or {}


def budget_of(runtime: Runtime, tenant: TenantId) -> dict[str, Any] | None:
    """The budget in force: the last that was set; None before the first."""
    with runtime.database.platform() as connection:
        return _budget(connection, tenant)


def alerts_of(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """Every alert there was, in order."""
    with runtime.database.platform() as connection:
        return connection.execute(
            "SELECT month, threshold, cost, budget, at FROM runtime.cost_alerts WHERE tenant_id = %s"
            " ORDER BY month, threshold",
            (tenant,),
        ).fetchall()


def raise_alerts(runtime: Runtime) -> list[dict[str, Any]]:
    """Note each threshold that a tenant with a budget has come to this month, once; return those that are new.

    A budget in another currency than the price table's is compared with nothing. Nothing is ever switched off by it.
    """
    month = Month.of(runtime.now())
    raised: list[dict[str, Any]] = []
    for row in list_tenants(runtime):
        tenant = TenantId(row["id"])
        budget = budget_of(runtime, tenant)
        if budget is None:
            continue
        cost = cost_of(runtime, tenant, month)
        if cost.currency != budget["currency"]:
            continue
        for threshold in THRESHOLDS:
            if cost.total >= threshold * budget["amount"]:
                raised += _note(runtime, tenant, month, threshold, cost.total, budget["amount"])
    return raised


def _note(
    runtime: Runtime, tenant: TenantId, month: Month, threshold: Decimal, cost: Decimal, budget: Decimal
) -> list[dict[str, Any]]:
    with runtime.database.platform() as connection:
        noted = connection.execute(
            """
            INSERT INTO runtime.cost_alerts (tenant_id, month, threshold, cost, budget) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT DO NOTHING RETURNING tenant_id, month, threshold, cost, budget
            """,
            (tenant, month.first_day(), threshold, cost, budget),
        ).fetchall()
        if noted:
            details = {"month": str(month), "threshold": str(threshold), "cost": str(cost), "budget": str(budget)}
            entry = AuditEntry(actor="cost-clock", action="cost.alert", subject=tenant, details=details)
            runtime.audit.append(connection, tenant, [entry])
    return noted


def _budget(connection: Connection, tenant: TenantId) -> dict[str, Any] | None:
    return connection.execute(
        """
        SELECT amount, currency, person, role, reason, at FROM runtime.cost_budgets
         WHERE tenant_id = %s ORDER BY number DESC LIMIT 1
        """,
        (tenant,),
    ).fetchone()
