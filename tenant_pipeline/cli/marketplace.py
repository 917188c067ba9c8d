"""`marketplace list | draft | request | publish | withdraw | history`."""

from __future__ import annotations

from typing import Annotated

import typer

from tenant_pipeline.cli.approved_work import do_approved, print_done, print_requests
from tenant_pipeline.cli.options import JsonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import opened, print_json, print_rows
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.going_live.listings import request_listing
from tenant_pipeline.services.marketplace import listing
from tenant_pipeline.services.marketplace.drafting import ListingTerms, draft_listing

app = typer.Typer(help="What tenants let others know of their live releases.", no_args_is_help=True)

PersonOption = Annotated[str, typer.Option(help="Who you are.")]
VisibilityOption = Annotated[str, typer.Option(help="private, partners or public.")]
ScopeOption = Annotated[str, typer.Option(help="none, listing or read.")]
ResellOption = Annotated[bool, typer.Option("--resell", help="What is read may be resold.")]

COLUMNS = ("tenant", "title", "version", "visibility", "share_scope", "resell", "entities", "types", "listed_at")
HISTORY_COLUMNS = ("at", "step", "listing_digest", "release_digest", "person", "reason")


@app.command("list")
def list_(
    viewer: Annotated[str | None, typer.Option(help="The tenant that looks; anybody without it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The listings that a viewer may see."""
    with opened() as runtime:
        rows = listing.list_listings(runtime, viewer=tenant_id(viewer) if viewer else None)
    print_rows("Listings", rows, COLUMNS, as_json=as_json)


@app.command()
def draft(
    tenant: TenantOption,
    visibility: VisibilityOption = "private",
    share_scope: ScopeOption = "none",
    resell: ResellOption = False,
) -> None:
    """The listing of what is live, as it would be asked for. Nothing is stored."""
    with opened() as runtime:
        print_json(draft_listing(runtime, tenant_id(tenant), ListingTerms(visibility, share_scope, resell)))


@app.command()
def request(
    tenant: TenantOption,
    person: PersonOption,
    visibility: VisibilityOption = "private",
    share_scope: ScopeOption = "none",
    resell: ResellOption = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Ask for the approval that listing what is live takes."""
    terms = ListingTerms(visibility, share_scope, resell)
    with opened() as runtime:
        asked = request_listing(runtime, tenant_id(tenant), terms, requested_by=person, reason=reason)
    print_requests(asked, as_json)


@app.command()
def publish(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Show the listing that was approved. The sensor does so by itself."""
    with opened() as runtime:
        done = do_approved(runtime, tenant_id(tenant), Operation.LISTING)
    print_done(tenant_id(tenant), done, as_json)


@app.command()
def withdraw(
    tenant: TenantOption,
    person: PersonOption,
    role: Annotated[str, typer.Option(help="In which role: tenant-admin, platform-governance or founder.")],
    reason: ReasonOption,
) -> None:
    """Take the tenant's listing down. Audited."""
    with opened() as runtime:
        listing.withdraw(runtime, tenant_id(tenant), person=person, role=role, reason=reason)


@app.command()
def history(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """How the tenant's listings came and went, in order."""
    with opened() as runtime:
        rows = listing.listing_history(runtime, tenant_id(tenant))
    print_rows(f"Listings of {tenant}", rows, HISTORY_COLUMNS, as_json=as_json)
