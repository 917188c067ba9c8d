"""`feed add | change | list | show | pause | resume | end | poll | decide | credential`."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, ReasonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import complaints, opened, operator, print_json, print_row, print_rows
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.feed.profile import Expectations
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.printable import printable
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.services.feeds.credentials import keep_credential
from tenant_pipeline.services.feeds.feeds import NewFeed, add_feed, change_feed, get_feed, list_feeds, set_status

app = typer.Typer(help="Sources that are fetched by a schedule.", no_args_is_help=True)

FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="The feed's id.")]

COLUMNS = (
    "id", "title", "status", "cron", "time_zone", "due_at", "checked_at", "changed_at", "alerted", "held", "error",
)  # fmt: skip
VERSIONS = ("number", "rows", "fetched_at", "taken_in", "reasons", "decision", "person")


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where it is fetched.")],
    tenant: TenantOption,
    origin: Annotated[Origin, typer.Option(help="Where it comes from.")],
    title: Annotated[str, typer.Option(help="What people call it, without personal data.")],
    cron: Annotated[str, typer.Option(help='When it is asked: five fields, such as "30 6 * * 1-5".')] = "0 6 * * *",
    time_zone: Annotated[str, typer.Option(help="The zone that the times are of.")] = "Asia/Bangkok",
    rights: Annotated[str, typer.Option(help="Under what licence or agreement it may be used.")] = "",
    credential: Annotated[str, typer.Option(help="The name of the secret that it is asked with.")] = "",
    least_rows: Annotated[int, typer.Option(min=0, help="Held for a person with fewer rows.")] = 0,
    most_loss: Annotated[float, typer.Option(min=0, max=1, help="Held when it loses more of its rows.")] = 0.5,
    fresh_within_hours: Annotated[
        int | None, typer.Option(min=1, help="It is stale when nothing new came for so long.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a feed. It is asked at once, and then by its schedule."""
    with opened() as runtime:
        wanted = NewFeed(
            title, url, origin, Schedule(cron, time_zone), Expectations(least_rows, most_loss), rights, credential,
            fresh_within_hours,
        )  # fmt: skip
        added = add_feed(runtime, tenant_id(tenant), wanted, actor=operator())
    print_row("Added", added.as_json(), COLUMNS, as_json=as_json)
    if not added.rights.strip():
        mend = f"`tenant-pipeline feed change {added.id} --tenant {tenant} --rights …`"
        complaints.print(f"No rights are declared: the tenant cannot go live until they are: {mend}.", highlight=False)


@app.command()
def change(
    feed: FeedArgument,
    tenant: TenantOption,
    url: Annotated[str | None, typer.Option(help="Where it is fetched from now on; it is asked at once.")] = None,
    title: Annotated[str | None, typer.Option(help="What people call it, without personal data.")] = None,
    cron: Annotated[str | None, typer.Option(help="When it is asked.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="The zone that the times are of.")] = None,
    rights: Annotated[str | None, typer.Option(help="Under what licence or agreement it may be used.")] = None,
    credential: Annotated[str | None, typer.Option(help='The name of its secret; "" for none.')] = None,
    least_rows: Annotated[int | None, typer.Option(min=0, help="Held for a person with fewer rows.")] = None,
    most_loss: Annotated[float | None, typer.Option(min=0, max=1, help="Held when it loses more of its rows.")] = None,
    fresh_within_hours: Annotated[
        int | None, typer.Option(min=0, help="It is stale when nothing new came for so long; 0: it may stay the same.")
    ] = None,
) -> None:
    """Change what is given of a feed; all else stays as it is."""
    given = {
        "url": url, "title": title, "cron": cron, "time_zone": time_zone, "rights": rights, "credential": credential,
        "least_rows": least_rows, "most_loss": most_loss, "fresh_within_hours": fresh_within_hours,
    }  # fmt: skip
    changes: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if fresh_within_hours == 0:
        changes["fresh_within_hours"] = None
    with opened() as runtime:
        changed = change_feed(runtime, tenant_id(tenant), feed, changes, actor=operator())
    print_row("Changed", changed.as_json(), COLUMNS, as_json=False)


@app.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """The tenant's feeds, when each is asked next, and which are dead or stale."""
    with opened() as runtime:
        rows = [feed.as_json() for feed in list_feeds(runtime, tenant_id(tenant))]
    print_rows(f"Feeds of {tenant}", rows, COLUMNS, as_json=as_json)


@app.command()
def show(
    feed: FeedArgument,
    tenant: TenantOption,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many versions.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Only versions with a lower number.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The versions of a feed, the newest first, and why one is held."""
    with opened() as runtime:
        # Loaded where it is used: it brings in what reads a version's rows.
        from tenant_pipeline.services.feeds.versions import versions_of

        with runtime.database.tenant(tenant_id(tenant)) as connection:
            found = get_feed(connection, tenant_id(tenant), feed)
            known = versions_of(connection, found, limit=limit + 1, before=before)
        rows = [version.as_json() for version in known[:limit]]
        older = rows[-1]["number"] if len(known) > limit else None
    if as_json:
        print_json({**found.as_json(), "versions": rows, "next": older})
        return
    print_row(found.title, found.as_json(), COLUMNS, as_json=False)
    print_rows("Versions", rows, VERSIONS, as_json=False)
    if older is not None:
        typer.echo(f"There are older ones: --before {older}")


@app.command()
def pause(feed: FeedArgument, tenant: TenantOption) -> None:
    """Ask it no more, until it is resumed."""
    _set_status(feed, tenant, "paused")


@app.command()
def resume(feed: FeedArgument, tenant: TenantOption) -> None:
    """Ask it again, at once and then by its schedule."""
    _set_status(feed, tenant, "active")


@app.command()
def end(feed: FeedArgument, tenant: TenantOption) -> None:
    """End it for good. What it brought stays."""
    _set_status(feed, tenant, "ended")


@app.command()
def poll(feed: FeedArgument, tenant: TenantOption) -> None:
    """Ask it now, however large it is."""
    with opened() as runtime:
        # Loaded where it is used: it brings in what reads a version's rows.
        from tenant_pipeline.services.feeds.polling import fetch_wholly

        polled = fetch_wholly(runtime, tenant_id(tenant), feed)
    typer.echo(printable(f"{polled.answer} {polled.detail}".rstrip()))


@app.command()
def decide(
    feed: FeedArgument,
    number: Annotated[int, typer.Argument(help="The version that is held.")],
    decision: Annotated[str, typer.Argument(help="accept or refuse")],
    tenant: TenantOption,
    person: Annotated[str, typer.Option(help="Who decides.")],
    role: RoleOption,
    reason: ReasonOption,
) -> None:
    """Let a version that is held flow on, or refuse it."""
    with opened() as runtime:
        # Loaded where it is used: it brings in what reads a version's rows.
        from tenant_pipeline.services.feeds import versions

        decided = versions.decide(
            runtime, tenant_id(tenant), feed, number, decision, person=person, role=role, reason=reason
        )
    print_row("Decided", decided.as_json(), VERSIONS, as_json=False)


@app.command()
def credential(
    name: Annotated[str, typer.Argument(help="What feeds call it.")],
    tenant: TenantOption,
    origin: Annotated[str, typer.Option(help="The one site that it is shown to, such as https://feeds.example.")],
    header: Annotated[str, typer.Option(help="The request header that carries it.")] = "Authorization",
) -> None:
    """Keep the secret that comes on standard input (such as `Bearer …`), encrypted under the tenant's key."""
    value = getpass.getpass("Value: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not value:
        raise InputError("No secret came", where="standard input", remedy="Give it on one line.")
    with opened() as runtime:
        secret = Credential(origin, header, value)
        keep_credential(runtime, tenant_id(tenant), name, secret, actor=operator())
    typer.echo(f"kept: {name}")


def _set_status(feed: str, tenant: str, status: str) -> None:
    with opened() as runtime:
        changed = set_status(runtime, tenant_id(tenant), feed, status, actor=operator())
    print_row("Changed", changed.as_json(), COLUMNS, as_json=False)
