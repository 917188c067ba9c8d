"""`compliance audit | declare | show | breach | notified | breaches`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tenant_pipeline.cli.shell import JsonOption, TenantOption, complaints, opened, print_json, print_rows
from tenant_pipeline.core.compliance.basis import LawfulBasis, Safeguard, SpecialBasis
from tenant_pipeline.core.compliance.control import Standing, drawn
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.compliance import breaches, processing_records
from tenant_pipeline.services.compliance.evidence import gather_evidence

app = typer.Typer(help="Control evidence on personal data.", no_args_is_help=True)

PersonOption = Annotated[str, typer.Option(help="Who you are.")]
RoleOption = Annotated[str, typer.Option(help="In which role: tenant-admin, platform-governance or founder.")]

CONTROL_COLUMNS = ("control", "law", "standing", "evidence", "remedy")
RECORD_COLUMNS = ("purpose", "basis", "special_basis", "origins", "data_subjects", "retention_days", "destinations")
BREACH_COLUMNS = ("breach", "known_at", "due_at", "hours_left", "notified_at", "late", "summary")


@app.command()
def audit(
    tenant: TenantOption,
    pack: Annotated[Path | None, typer.Option(help="Write the evidence as JSON to this file.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write the evidence as a page to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at every control that a machine can look at. Evidence for people, not a verdict on the law."""
    with opened() as runtime, complaints.status(f"Looking at what is kept of {tenant}"):
        controls = gather_evidence(runtime, tenant_id(tenant))
        at = runtime.now().isoformat(timespec="seconds")
    rows = [each.as_json() for each in controls]
    found = {"kind": "control evidence", "tenant": tenant, "at": at, "controls": rows}
    if pack is not None:
        pack.write_text(json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")
    if page is not None:
        page.write_text(drawn(tenant, at, controls), encoding="utf-8")
    if as_json:
        print_json(found)
    else:
        print_rows(f"Control evidence of {tenant}", rows, CONTROL_COLUMNS, as_json=False)
    if any(each.standing is Standing.NOT_MET for each in controls):
        raise typer.Exit(1)


@app.command()
def declare(
    tenant: TenantOption,
    purpose: Annotated[str, typer.Option(help="What the data are processed for.")],
    basis: Annotated[LawfulBasis, typer.Option(help="On which ground (PDPA section 24).")],
    data_subjects: Annotated[str, typer.Option(help="Whose data: guests, suppliers, delegates.")],
    retention_days: Annotated[int, typer.Option(help="For how many days they are kept.")],
    person: PersonOption,
    role: RoleOption,
    origin: Annotated[list[Origin] | None, typer.Option(help="Of which sources; of all without it.")] = None,
    special_basis: Annotated[SpecialBasis | None, typer.Option(help="On which ground special categories.")] = None,
    to: Annotated[list[str] | None, typer.Option(help="Where to, and on what: SG=consent.")] = None,
) -> None:
    """Record a processing of personal data: purpose, ground, how long, where to. Audited."""
    with opened() as runtime:
        declared = processing_records.declare_processing(
            runtime,
            tenant_id(tenant),
            purpose=purpose,
            basis=basis,
            origins=origin or [],
            data_subjects=data_subjects,
            retention_days=retention_days,
            person=person,
            role=role,
            special_basis=special_basis,
            destinations=_destinations(to or []),
        )
    print_json(declared)


@app.command()
def show(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """The record of each processing, as it holds now."""
    with opened() as runtime:
        rows = processing_records.processing_records(runtime, tenant_id(tenant))
    print_rows(f"Processing of {tenant}", rows, RECORD_COLUMNS, as_json=as_json)


@app.command()
def breach(
    tenant: TenantOption,
    known_at: Annotated[datetime, typer.Option(help="When it became known, in UTC.")],
    summary: Annotated[str, typer.Option(help="What happened; no personal data.")],
    person: PersonOption,
    role: RoleOption,
) -> None:
    """Put a breach of personal data on record; 72 hours run from when it became known. Audited."""
    with opened() as runtime:
        opened_breach = breaches.open_breach(
            runtime, tenant_id(tenant), known_at=known_at.replace(tzinfo=UTC), summary=summary, person=person, role=role
        )
        print_json(opened_breach.as_json(runtime.now()))


@app.command()
def notified(
    breach: Annotated[str, typer.Argument(help="The breach's id.")],
    tenant: TenantOption,
    summary: Annotated[str, typer.Option(help="How the office was told.")],
    person: PersonOption,
    role: RoleOption,
) -> None:
    """Put on record that the office has been told of a breach. Audited."""
    with opened() as runtime:
        told = breaches.note_notification(runtime, tenant_id(tenant), breach, summary=summary, person=person, role=role)
        print_json(told.as_json(runtime.now()))


@app.command("breaches")
def breaches_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every breach, with what is left of its 72 hours."""
    with opened() as runtime:
        rows = [each.as_json(runtime.now()) for each in breaches.list_breaches(runtime, tenant_id(tenant))]
    print_rows(f"Breaches of {tenant}", rows, BREACH_COLUMNS, as_json=as_json)


def _destinations(given: list[str]) -> Mapping[str, Safeguard]:
    try:
        return {country: Safeguard(ground) for country, _, ground in (each.partition("=") for each in given)}
    except ValueError:
        grounds = ", ".join(Safeguard)
        raise InputError(
            "A destination needs its safeguard", where="--to", remedy=f"COUNTRY=one of {grounds}."
        ) from None
