"""The people of the pilot, and their signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.table import Table

from tenant_pipeline.cli.shell import console, operator
from tenant_pipeline.core.business_calendar import BANGKOK
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.appointments import appoint
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.approvals.records import RecordedRequest
from tenant_pipeline.services.runtime import Runtime

PILOT = TenantId("phuket-mice")

ASKS = "kanya"
REVIEWS = "rin"
ADMINISTERS = "anan"
GOVERNS = "wei"
PEOPLE: Mapping[str, str] = {
    ASKS: "contributor",
    REVIEWS: "reviewer",
    ADMINISTERS: "tenant-admin",
    GOVERNS: "platform-governance",
    "mali": "founder",
}


def grant_roles(runtime: Runtime) -> None:
    """Give each of them their role, unless they hold it; those of the platform hold it in every further tenant."""
    for person, role in PEOPLE.items():
        if role in PLATFORM_ROLES:
            appoint(runtime, person=person, role=role, decided_by=operator(), reason="The demo")
    held = {(row["person"], row["role"]) for row in roles.list_roles(runtime, PILOT)}
    for person, role in PEOPLE.items():
        if (person, role) not in held:
            roles.grant_role(runtime, PILOT, person=person, role=role, granted_by=operator())


def sign_all(runtime: Runtime, *, unsigned: str | None) -> None:
    """Everybody signs what waits for them, but `unsigned`; drawn as a table of who said what."""
    signed: list[tuple[str, RecordedRequest]] = []
    for person, role in PEOPLE.items():
        if person == unsigned:
            continue
        for waiting in list_requests(runtime, PILOT, person=person, waiting_only=True):
            decided = decide(
                runtime,
                PILOT,
                waiting.request.id,
                digest=waiting.request.subject_digest,
                approves=True,
                person=person,
                role=role,
                reason="Looked at in the demo",
            )
            signed.append((person, decided))
    _draw(signed)


def _draw(signed: Sequence[tuple[str, RecordedRequest]]) -> None:
    table = Table(title="Signed", title_justify="left")
    for column in ("gate", "what", "digest", "person", "role", "still waits for", "due (Bangkok)"):
        table.add_column(column)
    for person, recorded in signed:
        table.add_row(
            str(recorded.request.gate),
            str(recorded.operation),
            recorded.request.subject_digest[:12],
            person,
            PEOPLE[person],
            ", ".join(" or ".join(sorted(need)) for need in recorded.standing.missing) or "[green]nobody[/]",
            _in_bangkok(recorded.request.due_at),
        )
    console.print(table)


def _in_bangkok(moment: datetime) -> str:
    return moment.astimezone(BANGKOK).strftime("%a %d %b %H:%M")
