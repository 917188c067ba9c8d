"""`cost show | list | budget | alerts`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, print_json, print_rows
from tenant_pipeline.core.cost.month import Month
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.cost import budgets
from tenant_pipeline.services.cost.billing import cost_of
from tenant_pipeline.services.registry import list_tenants
from tenant_pipeline.services.runtime import Runtime

app = typer.Typer(help="What each tenant costs, and may cost.", no_args_is_help=True)

MonthOption = Annotated[str | None, typer.Option(help="Such as 2026-11; this month without it.")]

LINE_COLUMNS = ("item", "quantity", "unit", "price", "amount")
LIST_COLUMNS = ("tenant", "total", "currency", "budget")


@app.command()
def show(tenant: TenantOption, month: MonthOption = None, as_json: JsonOption = False) -> None:
    """What was measured of the tenant, and what it comes to."""
    with opened() as runtime:
        cost = cost_of(runtime, tenant_id(tenant), _month(runtime, month))
        budget = budgets.budget_of(runtime, tenant_id(tenant))
    found = cost.as_json()
    if as_json:
        print_json({**found, "budget": budget})
        return
    print_rows(f"{tenant} in {cost.month}", found["lines"], LINE_COLUMNS, as_json=False)
    allowed = f" of {budget['amount']} {budget['currency']}" if budget else ", and there is no budget"
    console.print(f"{cost.total} {cost.currency}{allowed}", highlight=False)


@app.command("list")
def list_(month: MonthOption = None, as_json: JsonOption = False) -> None:
    """Every tenant's cost."""
    with opened() as runtime:
        wanted, rows = _month(runtime, month), []
        for row in list_tenants(runtime):
            cost = cost_of(runtime, TenantId(row["id"]), wanted)
            budget = budgets.budget_of(runtime, TenantId(row["id"]))
            rows.append(
                {
                    "tenant": row["id"],
                    "total": str(cost.total),
                    "currency": cost.currency,
                    "budget": str(budget["amount"]) if budget else None,
                }
            )
    print_rows(f"Cost in {wanted}", rows, LIST_COLUMNS, as_json=as_json)


@app.command()
def budget(
    tenant: TenantOption,
    amount: Annotated[str, typer.Option(help="What it may cost in a month.")],
    person: Annotated[str, typer.Option(help="Who you are.")],
    role: Annotated[str, typer.Option(help="In which role: tenant-admin, platform-governance or founder.")],
    reason: ReasonOption,
) -> None:
    """Set what the tenant may cost in a month. Audited; it stops nothing, it alerts."""
    try:
        wanted = Decimal(amount)
    except InvalidOperation:
        raise InputError("That is no amount", where="--amount", remedy="Write it as 1500.00.") from None
    with opened() as runtime:
        print_json(budgets.set_budget(runtime, tenant_id(tenant), wanted, person=person, role=role, reason=reason))


@app.command()
def alerts(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every threshold of its budget that the tenant has come to."""
    with opened() as runtime:
        rows = budgets.alerts_of(runtime, tenant_id(tenant))
    print_rows(f"Alerts of {tenant}", rows, ("month", "threshold", "cost", "budget", "at"), as_json=as_json)


def _month(runtime: Runtime, month: str | None) -> Month:
    return Month.parsed(month) if month else Month.of(runtime.now())
