"""`release list | show | build | check | diff | history | request | rollback | publish`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from tenant_pipeline.cli.approved_work import do_approved, print_done, print_requests
from tenant_pipeline.cli.options import JsonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, print_json, print_rows
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.release.difference import EntityChange
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.going_live.releases import request_release, request_rollback
from tenant_pipeline.services.releases.building import build_candidate
from tenant_pipeline.services.releases.checks import check_release, require_passed
from tenant_pipeline.services.releases.comparing import compare_releases
from tenant_pipeline.services.releases.reading import list_releases, live_release, publishing_history, release_named

app = typer.Typer(help="Immutable releases of a tenant's knowledge base.", no_args_is_help=True)

ReleaseArgument = Annotated[str, typer.Argument(help="A published version such as 1.2.0, or a digest's beginning.")]
PersonOption = Annotated[str, typer.Option(help="Who you are.")]

COLUMNS = ("version", "release", "live", "entities", "values", "changes", "built_by", "built_at")
CHANGE_COLUMNS = ("change", "type", "label", "property", "before", "after")
HISTORY_COLUMNS = ("id", "created_at", "stage", "version", "release_digest", "rollback_to", "created_by", "reason")


@app.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every release that was built, and which one readers see."""
    with opened() as runtime, runtime.database.platform() as connection:
        live = live_release(connection, tenant_id(tenant))
        rows = [
            {**each.as_json(), "live": live is not None and each.digest == live.digest}
            for each in list_releases(connection, tenant_id(tenant))
        ]
    print_rows(f"Releases of {tenant}", rows, COLUMNS, as_json=as_json)


@app.command()
def show(release: ReleaseArgument, tenant: TenantOption) -> None:
    """One release, with what it was made from."""
    with opened() as runtime, runtime.database.platform() as connection:
        print_json(release_named(connection, tenant_id(tenant), release).as_json())


@app.command()
def build(tenant: TenantOption, person: PersonOption) -> None:
    """Build the release that the draft would make now. No reader sees it."""
    with opened() as runtime:
        print_json(build_candidate(runtime, tenant_id(tenant), requested_by=person).release.as_json())


@app.command()
def check(release: ReleaseArgument, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Hold a release to its checks; fails where it does not stand them."""
    with opened() as runtime:
        with runtime.database.platform() as connection:
            found = release_named(connection, tenant_id(tenant), release)
        checks = check_release(runtime, found)
    rows = [each.as_json() for each in checks]
    print_rows(f"Checks of {found.version}", rows, ("check", "passed", "explanation", "remedy"), as_json=as_json)
    require_passed(checks)


@app.command()
def diff(
    release: ReleaseArgument,
    tenant: TenantOption,
    other: Annotated[
        str | None, typer.Argument(help="What it becomes. Without it: all that the first brings where nothing is.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many changed entities to show.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """What entities and properties came, went or changed between two releases, with their sources."""
    before, after = (None, release) if other is None else (release, other)
    with opened() as runtime:
        found = compare_releases(runtime, tenant_id(tenant), before, after, limit=limit)
    old, counts = found.before.version if found.before else None, asdict(found.counts)
    if as_json:
        print_json({"from": old, "to": found.after.version, "counts": counts,
                    "entities": [each.as_json() for each in found.shown]})  # fmt: skip
        return
    rows = [row for each in found.shown for row in _rows(each)]
    print_rows(f"From {old or 'nothing'} to {found.after.version}", rows, CHANGE_COLUMNS, as_json=False)
    console.print(counts, highlight=False)


@app.command()
def history(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """What was asked for, published and gone back to, in order. Nothing of it ever changes."""
    with opened() as runtime, runtime.database.platform() as connection:
        rows = publishing_history(connection, tenant_id(tenant))
    print_rows(f"Publishing of {tenant}", rows, HISTORY_COLUMNS, as_json=as_json)


@app.command()
def request(tenant: TenantOption, person: PersonOption, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Build and check the draft's release, and ask for the approvals that publishing it takes."""
    with opened() as runtime:
        asked = request_release(runtime, tenant_id(tenant), requested_by=person, reason=reason)
    print_requests(asked, as_json)


@app.command()
def rollback(
    to: ReleaseArgument, tenant: TenantOption, person: PersonOption, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Ask for the approval that going back to an earlier release takes."""
    with opened() as runtime:
        with runtime.database.platform() as connection:
            wanted = release_named(connection, tenant_id(tenant), to)
        asked = request_rollback(runtime, tenant_id(tenant), wanted.digest, requested_by=person, reason=reason)
    print_requests(asked, as_json)


@app.command()
def publish(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Do what was approved: publish the release, or go back to one. The sensor does so by itself."""
    with opened() as runtime:
        done = do_approved(runtime, tenant_id(tenant), Operation.RELEASE, Operation.ROLLBACK)
    print_done(tenant_id(tenant), done, as_json)


def _rows(each: EntityChange) -> list[dict[str, Any]]:
    found = each.as_json()
    return [
        {
            "change": change["change"] if found["change"] == "changed" else found["change"],
            "type": found["type"],
            "label": found["label"],
            "property": change["property"] + (f"@{change['lang']}" if change["lang"] else ""),
            "before": _values(change["before"]),
            "after": _values(change["after"]),
        }
        for change in found["properties"]
    ]


def _values(values: list[dict[str, Any]]) -> str:
    return "; ".join(f"{each['value']}{_period(each)}{_sources(each)}" for each in values)


def _sources(held: dict[str, Any]) -> str:
    """Who says so: nobody of a value that a person set, or of a type."""
    return f" ({', '.join(held['sources'])})" if held["sources"] else ""


def _period(held: dict[str, Any]) -> str:
    """From when and until when a value holds, as far as that is said."""
    since, until = held["valid_from"], held["valid_to"]
    return f" [{since or '…'} – {until or '…'}]" if since or until else ""
