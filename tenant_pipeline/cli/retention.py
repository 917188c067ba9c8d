"""`retention set | show | plan | prune | hold | lift | holds`."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, PersonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import opened, operator, print_json, print_rows
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.retention import holds as legal_holds
from tenant_pipeline.services.retention import pruning
from tenant_pipeline.services.retention.policies import RetentionClass, policies_of, set_policy

app = typer.Typer(help="How long superseded files are kept, and legal holds.", no_args_is_help=True)

RoleOption = Annotated[str, typer.Option(help="In which role: platform-governance.")]
HOLDS = ("id", "stands", "person", "reason", "placed_at", "lifted_by", "lifted_for", "lifted_at")


@app.command("set")
def set_(
    kept: Annotated[RetentionClass, typer.Argument(help="What the policy is about.")],
    tenant: TenantOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    days: Annotated[
        int | None, typer.Option(help="How long what is superseded is kept; for good if not given.")
    ] = None,
) -> None:
    """Set how long a tenant's superseded files of a class are kept. It is audited."""
    with opened() as runtime:
        set_policy(runtime, tenant_id(tenant), kept, days, person=person, role=role, reason=reason)
    show(tenant)


@app.command()
def show(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """The tenant's policies. What has none is kept for good."""
    with opened() as runtime:
        show_tenant(runtime, tenant_id(tenant))
        with runtime.database.tenant(tenant_id(tenant)) as connection:
            policies = policies_of(connection, tenant_id(tenant))
    rows = [{"class": str(kept), "days": policies.get(kept)} for kept in RetentionClass]
    print_rows(f"Retention of {tenant}", rows, ("class", "days"), as_json=as_json)


@app.command()
def plan(tenant: TenantOption) -> None:
    """What `prune` would delete now, as JSON. Nothing is deleted."""
    with opened() as runtime:
        found = pruning.plan_pruning(runtime, tenant_id(tenant))
    print_json(found.as_json())


@app.command()
def prune(tenant: TenantOption) -> None:
    """Delete what nothing needs by the tenant's policies. Killed, run it again. It is audited."""
    with opened() as runtime:
        found = pruning.prune(runtime, tenant_id(tenant), actor=operator())
    print_json(found.as_json())


@app.command()
def hold(tenant: TenantOption, person: PersonOption, role: RoleOption, reason: ReasonOption) -> None:
    """Place a legal hold: nothing of the tenant is pruned or erased until it is lifted. It is audited."""
    with opened() as runtime:
        legal_holds.place_hold(runtime, tenant_id(tenant), person=person, role=role, reason=reason)
    holds(tenant)


@app.command()
def lift(
    identifier: Annotated[uuid.UUID, typer.Argument(metavar="HOLD", help="The hold's id.")],
    tenant: TenantOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
) -> None:
    """Lift a legal hold. It is audited."""
    with opened() as runtime:
        legal_holds.lift_hold(runtime, tenant_id(tenant), identifier, person=person, role=role, reason=reason)
    holds(tenant)


@app.command()
def holds(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every hold that the tenant was ever under."""
    with opened() as runtime:
        show_tenant(runtime, tenant_id(tenant))
        with runtime.database.tenant(tenant_id(tenant)) as connection:
            rows = [each.as_json() for each in legal_holds.holds_of(connection, tenant_id(tenant))]
    print_rows(f"Legal holds on {tenant}", rows, HOLDS, as_json=as_json)
