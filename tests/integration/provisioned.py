"""What the tests of provisioning share: the small instance, sudden deaths, and what an installation consists of."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.lifecycle import StateForbidsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.local_process.backend import LocalProcesses
from tenant_pipeline.provisioning.local_process.processes import processes_of
from tenant_pipeline.provisioning.provisioner import Provisioner
from tenant_pipeline.services.provisioning.operations import ProvisioningOperation, latest_operation
from tenant_pipeline.services.provisioning.saga import deprovision, provision
from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.storage.database import Connection

SCRIPT = Path(__file__).parents[1] / "provisioning" / "small_instance.py"
_CATALOGUE = (
    "SELECT rolname, rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolconnlimit FROM pg_roles ORDER BY 1",
    "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2",
    "SELECT datname, datacl::text FROM pg_database WHERE datname = current_database()",
    "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY 1",
    "SELECT relnamespace::regnamespace::text, relname, relkind, relacl::text, relrowsecurity, relforcerowsecurity"
    "  FROM pg_class WHERE relnamespace::regnamespace::text NOT LIKE 'pg\\_%' ORDER BY 1, 2",
    "SELECT schemaname, tablename, policyname, roles::text, qual FROM pg_policies ORDER BY 1, 2, 3",
    "SELECT proname, proacl::text FROM pg_proc WHERE pronamespace::regnamespace::text NOT LIKE 'pg\\_%' ORDER BY 1, 2",
)


def small_instances(runtime: Runtime, *words: str) -> LocalProcesses:
    """The local-process backend of this installation, with the tests' instance in Nerve's place."""
    command = [sys.executable, str(SCRIPT), *words]
    return LocalProcesses(runtime.settings.instances_directory, command=command, code=[SCRIPT], restarts=1)


def footprint(runtime: Runtime) -> dict[str, Any]:
    """What an installation consists of beside its rows: the catalogue, the instances' files, and their processes.

    What failed instances have said is no part of it.
    """
    folder = runtime.settings.instances_directory
    with runtime.database.administration() as connection:
        catalogue = [[list(row.values()) for row in connection.execute(query).fetchall()] for query in _CATALOGUE]
    return {
        "catalogue": sha256_of_json(catalogue),
        "files": sorted(
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.name != ".locks" and ".failed" not in path.parts
        ),
        "processes": sorted(process.pid for process in processes_of(folder) if process.pid != psutil.Process().pid),
    }


def approved(connection: Connection) -> None:
    """The approvals hold."""
    assert connection.execute("SELECT session_user AS name").fetchone() == {"name": "tenant_runtime_platform"}


def take_down(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> None:
    """Take the tenant's instance down for good: nobody brings it back in the tests that come after."""
    deprovision(runtime, tenant, backend=backend, approvals=[], requested_by="test", verify=approved)


def take_back(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> ProvisioningOperation:
    """Go on with what was begun where the tenant has gone out of service meanwhile, which takes it back."""

    def out_of_service(connection: Connection) -> None:
        raise StateForbidsError("The tenant is suspended")

    with pytest.raises(StateForbidsError):
        provision(runtime, tenant, backend=backend, approvals=[], requested_by="ann", verify=out_of_service)
    with runtime.database.platform() as connection:
        operation = latest_operation(connection, tenant)
    assert operation is not None
    return operation


def killed_at_step(
    runtime: Runtime,
    tenant: TenantId,
    act: str,
    fatal_step: str,
    fatal_moment: str,
    *,
    backend: Callable[[Runtime], Provisioner],
) -> None:
    """Do `act` in a process of its own, with connections of its own, which is killed at that moment."""

    def on_step(step: str, moment: str) -> None:
        if (step, moment) == (fatal_step, fatal_moment):
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            with connect(runtime.settings) as own:
                do = {"provision": provision, "deprovision": deprovision}[act]
                do(
                    own, tenant, backend=backend(own), approvals=[], requested_by="ann", verify=approved,
                    on_step=on_step,
                )  # fmt: skip
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
