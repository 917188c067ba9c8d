"""`compliance audit | declare | end | show` and `compliance breach open | list | close`."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, PersonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import ExitCode, console, moment, opened, print_rows
from tenant_pipeline.core.compliance.lawful_basis import LawfulBasis, SpecialCategoryBasis, TransferSafeguard
from tenant_pipeline.core.compliance.processing_record import Destination, ProcessingRecord
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services.compliance import breaches, processing_records
from tenant_pipeline.services.compliance.audit import evidence_pack

app = typer.Typer(help="Records of processing, and control evidence on data protection.", no_args_is_help=True)
breach = typer.Typer(help="Breaches of personal data, and how long is left to notify.", no_args_is_help=True)
app.add_typer(breach, name="breach")

ActivityOption = Annotated[str, typer.Option(help="The activity's name, such as guest-register.")]
RoleOption = Annotated[str, typer.Option(help="In which role: tenant-admin or platform-governance.")]

COLUMNS = (
    "activity", "version", "act", "purpose", "basis", "special_basis", "subjects", "retention_days", "destinations",
    "sources", "person", "at",
)  # fmt: skip
BREACH_COLUMNS = (
    "id", "state", "aware_at", "due", "hours_left", "overdue", "notified_at", "summary", "closing_reason",
)  # fmt: skip


@app.command()
def audit(
    tenant: TenantOption,
    person: Annotated[str, typer.Option(help="Who asks for it.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the pack as JSON here.")] = None,
    page_file: Annotated[Path | None, typer.Option("--page", help="Write the pack as a page here.")] = None,
) -> None:
    """Control evidence on data protection: what a machine can check, and what it found. It is audited.

    The last line says whether everything that a machine can check is met; where it is not, the exit code is 7.
    """
    with opened() as runtime:
        pack = evidence_pack(runtime, tenant_id(tenant), asked_by=person)
    if json_file is not None:
        json_file.write_text(json.dumps(pack.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if page_file is not None:
        page_file.write_text(pack.as_html(), encoding="utf-8")
    rows = [each.as_json() for each in pack.controls]
    print_rows(f"Control evidence of {tenant}", rows, ("id", "law", "outcome", "evidence", "remedy"), as_json=False)
    console.print(pack.summary(), highlight=False, markup=False, soft_wrap=True)
    if not pack.met:
        raise typer.Exit(ExitCode.NOT_MET)


@app.command()
def declare(
    tenant: TenantOption,
    activity: ActivityOption,
    purpose: Annotated[str, typer.Option(help="What the data is processed for.")],
    basis: Annotated[LawfulBasis, typer.Option(help="The basis under section 24, or consent.")],
    subjects: Annotated[list[str], typer.Option(help="A category of data subjects; give it once for each.")],
    retention_days: Annotated[int, typer.Option(help="For how many days it is kept.")],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    special_basis: Annotated[
        SpecialCategoryBasis | None, typer.Option(help="The basis under section 26, for special categories.")
    ] = None,
    destination: Annotated[
        list[str] | None, typer.Option(help="COUNTRY=SAFEGUARD, such as SG=contract; once for each.")
    ] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only of this source; once for each.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Declare an activity, or how it is from now on. Every version is kept. It is audited."""
    declared = ProcessingRecord(
        activity=activity,
        purpose=purpose,
        basis=basis,
        special_basis=special_basis,
        subjects=tuple(subjects),
        retention_days=retention_days,
        destinations=tuple(_destination(each) for each in destination or ()),
        sources=tuple(source_id(each) for each in source or ()),
    )
    with opened() as runtime:
        version = processing_records.declare(
            runtime, tenant_id(tenant), declared, person=person, role=role, reason=reason
        )
    print_rows("Declared", [{**declared.as_json(), "version": version}], COLUMNS[:2] + COLUMNS[3:-2], as_json=as_json)


@app.command()
def end(
    tenant: TenantOption,
    activity: ActivityOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
) -> None:
    """End an activity. It is audited."""
    with opened() as runtime:
        processing_records.end(runtime, tenant_id(tenant), activity, person=person, role=role, reason=reason)


@app.command()
def show(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every version of every activity."""
    with opened() as runtime:
        rows = processing_records.history(runtime, tenant_id(tenant))
    print_rows(f"Processing of {tenant}", rows, COLUMNS, as_json=as_json)


@breach.command("open")
def open_(
    tenant: TenantOption,
    summary: Annotated[str, typer.Option(help="What happened, without anybody's personal data.")],
    person: PersonOption,
    role: RoleOption,
    aware_at: Annotated[
        datetime | None,
        typer.Option(help="Since when it is known; in UTC where no zone is said; now, if not given.", parser=moment),
    ] = None,
) -> None:
    """Start the clock of a breach: seventy-two hours to notify. It is audited."""
    with opened() as runtime:
        breaches.open_breach(
            runtime,
            tenant_id(tenant),
            aware_at=aware_at or runtime.now(),
            summary=summary,
            person=person,
            role=role,
        )
    list_(tenant)


@breach.command("list")
def list_(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Every breach, with what is left of its time."""
    with opened() as runtime:
        rows = [each.as_json(runtime.now()) for each in breaches.list_breaches(runtime, tenant_id(tenant))]
    print_rows(f"Breaches of {tenant}", rows, BREACH_COLUMNS, as_json=as_json)


@breach.command("close")
def close(
    tenant: TenantOption,
    identifier: Annotated[uuid.UUID, typer.Option("--breach", help="The breach's id.")],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    notified_at: Annotated[
        datetime | None,
        typer.Option(
            help="When the Office was notified, in UTC where no zone is said; none if none was owed.", parser=moment
        ),
    ] = None,
) -> None:
    """Close a breach: it was notified then, or none was owed for this reason. It is audited."""
    with opened() as runtime:
        breaches.close_breach(
            runtime,
            tenant_id(tenant),
            identifier,
            notified_at=notified_at,
            reason=reason,
            person=person,
            role=role,
        )
    list_(tenant)


def _destination(said: str) -> Destination:
    country, _, safeguard = said.partition("=")
    if safeguard not in list(TransferSafeguard):
        raise InputError(
            "A destination has one of the Act's safeguards",
            where="--destination",
            remedy=f"COUNTRY=SAFEGUARD, with one of {', '.join(TransferSafeguard)}.",
        )
    return Destination(country, TransferSafeguard(safeguard))
