"""`instance plan | request | provision | status | list | deprovision | rotate | logs`."""

from __future__ import annotations

from collections import deque
from typing import Annotated

import typer

from tenant_pipeline.cli.approved_work import do_approved, print_done, print_requests
from tenant_pipeline.cli.options import JsonOption, PersonOption, ReasonOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, print_json, print_rows
from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.going_live.instances import request_instance
from tenant_pipeline.services.provisioning.backends import backend_of, local_processes
from tenant_pipeline.services.provisioning.reading import instance_status, list_instances
from tenant_pipeline.services.provisioning.rotation import rotate_credentials
from tenant_pipeline.services.provisioning.saga import deprovision as take_down
from tenant_pipeline.services.provisioning.specification import plan_provisioning
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

app = typer.Typer(help="The running instance of each tenant.", no_args_is_help=True)

RoleOption = Annotated[str, typer.Option(help="In which role: platform-governance or founder.")]
SecondsOption = Annotated[
    float | None, typer.Option(help="How long to wait at most, in seconds; as long as the backend needs without it.")
]

LIST_COLUMNS = ("tenant", "backend", "phase", "endpoint", "last", "detail")
STEP_COLUMNS = ("at", "step", "state", "detail")


@app.command()
def plan(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """What provisioning would do now, and the digest that the gate approves. Nothing is changed."""
    with opened() as runtime:
        planned = plan_provisioning(runtime, tenant_id(tenant), backend_of(runtime))
    if as_json:
        print_json({"digest": planned.wanted.digest(), **planned.as_json()})
        return
    changes = planned.as_json()["changes"]
    print_rows(f"Plan of {tenant}", changes, ("kind", "name", "action", "differences"), as_json=False)
    console.print(f"To approve: {planned.wanted.digest()}", highlight=False)


@app.command()
def request(
    tenant: TenantOption,
    person: PersonOption,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Ask for the approvals that the tenant's instance takes."""
    with opened() as runtime:
        asked = request_instance(runtime, tenant_id(tenant), requested_by=person, reason=reason)
    print_requests(asked, as_json)


@app.command()
def provision(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Bring up the instance that was approved, or finish bringing it up. The sensor does so by itself."""
    with opened() as runtime:
        done = do_approved(runtime, tenant_id(tenant), Operation.INSTANCE)
    print_done(tenant_id(tenant), done, as_json)


@app.command()
def status(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """How the tenant's instance stands, and each step of the last operation."""
    with opened() as runtime:
        found = instance_status(runtime, tenant_id(tenant), backend_of(runtime))
    if as_json:
        print_json(found)
        return
    console.print(
        f"{found['phase']} {found['endpoint'] or ''} {found['detail']}".rstrip(), highlight=False, markup=False
    )
    for operation in found["operations"][:1]:
        title = f"{operation['act']} by {operation['requested_by']}: {operation['outcome']}"
        print_rows(title, operation["steps"], STEP_COLUMNS, as_json=False)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Every tenant that has, or had, an instance."""
    with opened() as runtime:
        rows = list_instances(runtime, backend_of(runtime))
    print_rows("Instances", rows, LIST_COLUMNS, as_json=as_json)


@app.command()
def deprovision(tenant: TenantOption, person: PersonOption, role: RoleOption, seconds: SecondsOption = None) -> None:
    """Take the tenant's instance and its login away. Its releases stay. Audited."""
    with opened() as runtime:
        backend = backend_of(runtime)

        def allowed(connection: Connection) -> None:
            require_role(connection, tenant_id(tenant), person, role, OVERRIDE_ROLES)

        take_down(
            runtime,
            tenant_id(tenant),
            backend=backend,
            approvals=[],
            requested_by=person,
            verify=allowed,
            timeout=seconds or backend.apply_seconds,
        )


@app.command()
def rotate(tenant: TenantOption, person: PersonOption, role: RoleOption, seconds: SecondsOption = None) -> None:
    """Give the instance another password and token, and roll it onto them. Audited."""
    with opened() as runtime:
        with runtime.database.platform() as connection:
            require_role(connection, tenant_id(tenant), person, role, OVERRIDE_ROLES)
        backend = backend_of(runtime)
        timeout = seconds or backend.apply_seconds
        now = rotate_credentials(runtime, tenant_id(tenant), backend=backend, requested_by=person, timeout=timeout)
    console.print(f"{now.phase} {now.endpoint or ''}", highlight=False)


@app.command()
def logs(tenant: TenantOption, lines: Annotated[int, typer.Option(min=1, help="How many of the last.")] = 50) -> None:
    """What the running instance has said last, or one since that could not become healthy."""
    with opened() as runtime:
        path = local_processes(runtime).log(tenant_id(tenant), _namespace(runtime, tenant_id(tenant)))
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in deque(file, maxlen=lines):
                console.print(line.rstrip("\n"), markup=False, highlight=False, soft_wrap=True)


def _namespace(runtime: Runtime, tenant: TenantId) -> str:
    return str(show_tenant(runtime, tenant)["k8s_namespace"])
