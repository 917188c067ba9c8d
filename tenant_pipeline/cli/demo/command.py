"""The demo's order of events."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from tenant_pipeline.cli.approved_work import do_approved
from tenant_pipeline.cli.demo.asking_nerve import draw_search, served_version
from tenant_pipeline.cli.demo.attacking import attacked_meanwhile
from tenant_pipeline.cli.demo.deciding import declare_processing, drop_national_ids, sign_conflicts
from tenant_pipeline.cli.demo.normalising import register_pilot, run, take_in
from tenant_pipeline.cli.demo.people import ADMINISTERS, ASKS, PEOPLE, PILOT, grant_roles, sign_all
from tenant_pipeline.cli.shell import complaints, console, opened, print_rows
from tenant_pipeline.cli.summary import print_next, print_summary
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.samples.phuket_mice.pilot import WORKBOOK, write_sample, write_update
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.audit_trail import seal_audit, verify_audit
from tenant_pipeline.services.compliance.audit import evidence_pack
from tenant_pipeline.services.going_live.instances import request_instance
from tenant_pipeline.services.going_live.listings import request_listing
from tenant_pipeline.services.going_live.releases import first_ready, request_release, request_rollback
from tenant_pipeline.services.marketplace.drafting import ListingTerms
from tenant_pipeline.services.marketplace.listing import list_listings
from tenant_pipeline.services.provisioning.backends import backend_of
from tenant_pipeline.services.provisioning.standing import bring_back
from tenant_pipeline.services.releases.reading import list_releases, live_release, publishing_history
from tenant_pipeline.services.runtime import Runtime

INSTANCE_SECONDS = 60.0
THAI, ENGLISH, UPDATED = "อ่าวมะขาม", "Old Town Assembly", "Surin Beach"
CAPACITY = "maximumAttendeeCapacity"

UnsignedOption = Annotated[
    str | None, typer.Option(help=f"One of {', '.join(PEOPLE)}, who does not sign: it stops there, and says whose.")
]


def demo(unsigned: UnsignedOption = None) -> None:
    """Take the pilot tenant "Phuket MICE" from its files to a running instance and a listing, and back a release."""
    if unsigned is not None and unsigned not in PEOPLE:
        raise typer.BadParameter(f"One of {', '.join(PEOPLE)}.", param_hint="--unsigned")
    started = time.monotonic()
    with opened() as runtime:
        complaints.print("The database is up and migrated.")
        register_pilot(runtime)
        grant_roles(runtime)
        with attacked_meanwhile(runtime) as attack_has_ended:
            written = _normalise(runtime)
            _publish_first(runtime, unsigned)
            _heading("Nobody gets to another's")
            attack_has_ended()
        _bring_up(runtime, unsigned)
        _update_and_go_back(runtime, unsigned)
        _verify(runtime)
    print_next(PILOT)
    seconds = time.monotonic() - started
    console.print(
        f"\n{written} stage outputs written; all of it in {seconds:.0f} s."
        if written
        else "\nNothing was written: every stage had run over the same input with the same code."
    )


def _normalise(runtime: Runtime) -> int:
    added = take_in(runtime, write_sample)
    complaints.print(f"{len(added)} sources of the pilot tenant are in its encrypted raw zone.")
    written = run(runtime, added)
    print_summary(runtime, PILOT)
    workbook = next(each for each in added if each.title == WORKBOOK)
    _heading("People decide what the rules may not")
    declare_processing(runtime)
    drop_national_ids(runtime, workbook.id)
    again = run(runtime, [workbook])
    sign_conflicts(runtime)
    return _total(written) + _total(again)


def _publish_first(runtime: Runtime, unsigned: str | None) -> None:
    _heading("Publish the first release")
    with runtime.database.platform() as connection:
        live = live_release(connection, PILOT)
    if live is None:
        request_release(runtime, PILOT, requested_by=ASKS, reason="The first release")
        _show_refusal(runtime)
        sign_all(runtime, unsigned=unsigned)
        _did("Published", do_approved(runtime, PILOT, Operation.RELEASE, Operation.ROLLBACK))
    else:
        console.print(f"{live.version} is live already.", highlight=False)


def _bring_up(runtime: Runtime, unsigned: str | None) -> None:
    _heading("Bring up its Nerve")
    if not list(bring_back(runtime, backend_of(runtime), timeout=INSTANCE_SECONDS)):
        request_instance(runtime, PILOT, requested_by=ASKS, reason="The pilot's instance")
        sign_all(runtime, unsigned=unsigned)
        _did("Provisioned", do_approved(runtime, PILOT, Operation.INSTANCE))
    else:
        console.print("It was provisioned before, and is brought back.")
    draw_search(runtime, THAI, CAPACITY)
    draw_search(runtime, ENGLISH, CAPACITY)


def _update_and_go_back(runtime: Runtime, unsigned: str | None) -> None:
    with runtime.database.platform() as connection:
        if any(entry["rollback_to"] for entry in publishing_history(connection, PILOT)):
            console.print(f"An update was published and gone back from; {served_version(runtime)} is served.")
            return
        first = list_releases(connection, PILOT)[0]
    _heading("Show it in the marketplace")
    request_listing(runtime, PILOT, ListingTerms("public", "listing", resell=False), requested_by=ASKS)
    sign_all(runtime, unsigned=unsigned)
    _did("Listed", do_approved(runtime, PILOT, Operation.LISTING))
    _print_listings(runtime)
    _heading("Publish an update, which Nerve follows while it runs")
    run(runtime, take_in(runtime, write_update))
    sign_conflicts(runtime)
    request_release(runtime, PILOT, requested_by=ASKS, reason="A partner's update")
    sign_all(runtime, unsigned=unsigned)
    _did("Published", do_approved(runtime, PILOT, Operation.RELEASE, Operation.ROLLBACK))
    draw_search(runtime, UPDATED, CAPACITY)
    _heading("Go back to the first release")
    request_rollback(runtime, PILOT, first.digest, requested_by=ASKS, reason="The update came too early")
    sign_all(runtime, unsigned=unsigned)
    _did("Gone back", do_approved(runtime, PILOT, Operation.RELEASE, Operation.ROLLBACK))
    draw_search(runtime, UPDATED, CAPACITY)
    _print_listings(runtime)


def _verify(runtime: Runtime) -> None:
    _heading("Nothing of this can be changed unseen")
    with runtime.database.platform() as connection:
        rows = publishing_history(connection, PILOT)
    print_rows(
        "Publishing history", rows, ("id", "stage", "version", "rollback_to", "created_by", "reason"), as_json=False
    )
    seal_audit(runtime, PILOT)
    for chain in verify_audit(runtime, PILOT):
        if not chain["intact"]:
            raise IntegrityError(f"The audit log is not whole: {chain['problem']}", where=PILOT)
        console.print(
            f"The audit log of {PILOT} is whole: {chain['entries']} entries in one hash chain.", highlight=False
        )
    _heading("What a machine can check of data protection")
    console.print(evidence_pack(runtime, PILOT, asked_by=ADMINISTERS).summary(), highlight=False, markup=False)


def _show_refusal(runtime: Runtime) -> None:
    """Before anybody has signed, nothing moves: what the sensor, and a run by hand, would say."""
    try:
        first_ready(runtime, PILOT, Operation.RELEASE)
    except ApprovalMissingError as error:
        console.print(f"[yellow]Not yet:[/] {escape(error.what)}", highlight=False)


def _print_listings(runtime: Runtime) -> None:
    rows = list_listings(runtime, viewer=None)
    if rows:
        print_rows("What anybody sees", rows, ("tenant", "version", "entities", "types", "visibility"), as_json=False)
    else:
        console.print("The listing told of a release that is no longer live: it is withdrawn.")


def _did(what: str, done: dict[str, Any]) -> None:
    shown = {key: value for key, value in done.items() if value not in ("", [], {}) and key != "operation"}
    print_rows(
        what,
        [{"": key.replace("_", " "), "value": value} for key, value in shown.items()],
        ("", "value"),
        as_json=False,
    )


def _total(written: dict[SourceId, int]) -> int:
    return sum(written.values())


def _heading(text: str) -> None:
    console.rule(f"[bold]{text}", align="left")
