"""`approval list | show | approve | reject | assign | delegate | revoke | withdraw | bytes | key`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, ReasonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, print_fields, print_json, print_rows
from tenant_pipeline.core.approval.signature import SignedDecision, bytes_to_sign, from_base64
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.services.approvals import handing_over, person_keys, queue
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.records import RecordedRequest, one_request

app = typer.Typer(help="What waits for whom, and their decisions.", no_args_is_help=True)
keys = typer.Typer(help="Keys with which people sign their decisions.", no_args_is_help=True)
app.add_typer(keys, name="key")

COLUMNS = ("id", "gate", "operation", "state", "waits_for", "requested_by", "due_at", "breached", "escalated_to")
RequestArgument = Annotated[str, typer.Argument(help="The request's id.")]
PersonOption = Annotated[str, typer.Option(help="Who you are.")]
DigestOption = Annotated[str, typer.Option(help="The digest that `approval show` showed: what you decide on.")]
SignatureOption = Annotated[str | None, typer.Option(help="Your key's signature over the decision, in base64.")]


@app.command("list")
def list_(
    tenant: TenantOption,
    role: Annotated[str | None, typer.Option(help="Only what waits for this role.")] = None,
    person: Annotated[str | None, typer.Option(help="Only what this person may decide, or was taken to them.")] = None,
    waiting: Annotated[bool, typer.Option(help="Only what waits.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The requests, the next due first."""
    with opened() as runtime:
        found = queue.list_requests(
            runtime, tenant_id(tenant), role=role, person=person, with_escalated=True, waiting_only=waiting
        )
    print_rows(f"Approvals of {tenant}", [each.as_json() for each in found], COLUMNS, as_json=as_json)


@app.command()
def show(request: RequestArgument, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """One request: exactly what is asked for, its digest, and every word that was said."""
    with opened() as runtime, runtime.database.platform() as connection:
        recorded = one_request(connection, tenant_id(tenant), request, runtime.now())
    _print(recorded, as_json)


@app.command()
def approve(
    request: RequestArgument,
    tenant: TenantOption,
    digest: DigestOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption = "",
    signature: SignatureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a request, in a role that you hold or were delegated."""
    _decide(request, tenant, digest, person, role, reason, signature, as_json, approves=True)


@app.command()
def reject(
    request: RequestArgument,
    tenant: TenantOption,
    digest: DigestOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    signature: SignatureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject a request, and say what has to change."""
    _decide(request, tenant, digest, person, role, reason, signature, as_json, approves=False)


@app.command("bytes")
def bytes_(
    request: RequestArgument,
    tenant: TenantOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption = "",
    rejects: Annotated[bool, typer.Option("--reject", help="The bytes of a rejection.")] = False,
) -> None:
    """Write to standard output exactly what a person signs with their own key to decide so."""
    with opened() as runtime, runtime.database.platform() as connection:
        asked = one_request(connection, tenant_id(tenant), request, runtime.now()).request
    decision = SignedDecision(
        tenant_id(tenant), asked.id, str(asked.gate), asked.subject_digest, person, role,
        "reject" if rejects else "approve", reason,
    )  # fmt: skip
    sys.stdout.buffer.write(bytes_to_sign(decision))


@app.command()
def assign(
    request: RequestArgument,
    tenant: TenantOption,
    role: RoleOption,
    to: Annotated[str, typer.Option(help="Who is to decide.")],
    person: PersonOption,
    person_role: Annotated[str, typer.Option(help="Your own role.")],
    as_json: JsonOption = False,
) -> None:
    """Name who is to decide in a role."""
    with opened() as runtime:
        recorded = handing_over.assign(
            runtime, tenant_id(tenant), request, role=role, to=to, person=person, person_role=person_role
        )
    _print(recorded, as_json)


@app.command()
def delegate(
    request: RequestArgument,
    tenant: TenantOption,
    role: RoleOption,
    to: Annotated[str, typer.Option(help="To whom.")],
    person: PersonOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Hand your decision on one request to somebody else. The founder's is nobody else's to give."""
    with opened() as runtime:
        recorded = handing_over.delegate(
            runtime, tenant_id(tenant), request, role=role, to=to, person=person, reason=reason
        )
    _print(recorded, as_json)


@app.command()
def revoke(
    request: RequestArgument,
    tenant: TenantOption,
    decision: Annotated[str, typer.Option(help="The decision's id.")],
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Take a decision back before it is used."""
    with opened() as runtime:
        recorded = handing_over.revoke(
            runtime, tenant_id(tenant), request, approval=decision, person=person, role=role, reason=reason
        )
    _print(recorded, as_json)


@app.command()
def withdraw(
    request: RequestArgument,
    tenant: TenantOption,
    person: PersonOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Take back a request of your own."""
    with opened() as runtime:
        recorded = handing_over.withdraw(runtime, tenant_id(tenant), request, person=person, reason=reason)
    _print(recorded, as_json)


@app.command()
def escalate(as_json: JsonOption = False) -> None:
    """Take every request that has waited too long to the next in line. The sensor does so by itself."""
    with opened() as runtime:
        found = queue.escalate_breaches(runtime)
    print_rows("Escalated", [each.as_json() for each in found], ("tenant", *COLUMNS), as_json=as_json)


@keys.command("add")
def add_key(
    tenant: TenantOption,
    person: Annotated[str, typer.Option(help="Whose key it is.")],
    public_key: Annotated[str, typer.Option(help="The 32 bytes of an Ed25519 public key, in base64.")],
    added_by: Annotated[str, typer.Option(help="Who vouches that it is theirs.")],
) -> None:
    """From now on this person's decisions count only when signed with it."""
    with opened() as runtime:
        key_id = person_keys.add_person_key(
            runtime,
            tenant_id(tenant),
            person=person,
            public_key=from_base64(public_key, "--public-key"),
            added_by=added_by,
        )
    console.print(key_id)


@keys.command("end")
def end_key(
    tenant: TenantOption,
    person: Annotated[str, typer.Option(help="Whose key it is.")],
    key: Annotated[str, typer.Option(help="The key's id.")],
    ended_by: Annotated[str, typer.Option(help="Who ends it.")],
) -> None:
    """Let a key count no longer; approvals that rest on it and were not used fall."""
    with opened() as runtime:
        person_keys.end_person_key(runtime, tenant_id(tenant), person=person, key_id=key, ended_by=ended_by)


def _decide(
    request: str,
    tenant: str,
    digest: str,
    person: str,
    role: str,
    reason: str,
    signature: str | None,
    as_json: bool,
    *,
    approves: bool,
) -> None:
    with opened() as runtime:
        recorded = decide(
            runtime,
            tenant_id(tenant),
            request,
            digest=Sha256(digest),
            approves=approves,
            person=person,
            role=role,
            reason=reason,
            signature=from_base64(signature, "--signature") if signature else None,
        )
    _print(recorded, as_json)


def _print(recorded: RecordedRequest, as_json: bool) -> None:
    found = recorded.as_json()
    if as_json:
        print_json(found)
        return
    fields = {name: value for name, value in found.items() if name not in ("decisions", "steps")}
    print_fields(f"Request {recorded.request.id}", fields, as_json=False)
    print_rows(
        "Decisions", found["decisions"], ("id", "decision", "person", "role", "reason", "revoked"), as_json=False
    )
    print_rows("Steps", found["steps"], ("step", "person", "to", "role", "reason", "at"), as_json=False)
