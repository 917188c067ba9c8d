"""The steps of bringing an instance up: what each finds, does, and takes back. Each may be done again at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, Phase, Provisioner
from tenant_pipeline.services.provisioning.instance_grants import check_instance_grants
from tenant_pipeline.services.provisioning.isolation_probe import probe_isolation
from tenant_pipeline.services.provisioning.specification import specification_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.database import Connection, instance_login_of, role_exists

INSTANCE = "namespace_and_instance"
Found = Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """What the steps work on."""

    runtime: Runtime
    tenant: TenantId
    backend: Provisioner
    timeout: float

    @property
    def role(self) -> str:
        return instance_login_of(self.tenant)

    def specification(self) -> InstanceSpecification:
        """The instance with its secrets as they are now: the role step changes them."""
        return specification_of(self.runtime, self.tenant)


@dataclass(frozen=True)
class Step:
    """One step. `find` looks before anything is done; what it says decides what `undo` takes back."""

    name: str
    find: Callable[[Work], Found]
    do: Callable[[Work], Found]
    undo: Callable[[Work, Found], None]


def _nothing_found(work: Work) -> Found:
    return {}


def _nothing_to_undo(work: Work, found: Found) -> None:
    return


def _find_role(work: Work) -> Found:
    with work.runtime.database.administration() as connection:
        return {"existed": role_exists(connection, work.role)}


def _make_role(work: Work) -> Found:
    return {"role": work.runtime.database.create_instance_login(work.tenant)}


def _drop_role(work: Work, found: Found) -> None:
    if not found["existed"]:
        work.runtime.database.drop_instance_login(work.tenant)


def _find_schema(work: Work) -> Found:
    with work.runtime.database.administration() as connection:
        return {"relations": sorted(_relations(connection, work.specification().database_schema))}


def _make_schema(work: Work) -> Found:
    schema = work.specification().database_schema
    with work.runtime.database.administration() as connection:
        serving.create_serving_tables(connection, schema)
        serving.grant_reading(connection, schema, work.role)
        return {"schema": schema, "relations": sorted(_relations(connection, schema))}


def _drop_new_and_empty(work: Work, found: Found) -> None:
    """Take back the serving tables that this operation made, unless something was written into any of them since."""
    schema = work.specification().database_schema
    with work.runtime.database.administration() as connection:
        made = _relations(connection, schema) - set(found["relations"])
        for name in sorted(made):
            table = sql.Identifier(schema, name)
            if connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(table)).fetchone() is not None:
                return
        if made:
            serving.drop_serving_tables(connection, schema)


def _relations(connection: Connection, schema: str) -> set[str]:
    """The tables in a tenant's schema that are ours: what the tenant made there itself is not."""
    rows = connection.execute(
        """
        SELECT relname FROM pg_class
         WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind = 'r'
           AND pg_get_userbyid(relowner) = 'tenant_runtime_owner'
        """,
        (schema,),
    ).fetchall()
    return {row["relname"] for row in rows}


def _check_grants(work: Work) -> Found:
    with work.runtime.database.administration() as connection:
        return {"readable": check_instance_grants(connection, work.specification().database_schema, work.role)}


def _find_instance(work: Work) -> Found:
    phase = work.backend.status(work.tenant, work.specification().namespace).phase
    return {"existed": phase not in (Phase.ABSENT, Phase.TERMINATING)}


def _apply(work: Work) -> Found:
    status = work.backend.apply(work.specification(), timeout=work.timeout)
    return {"phase": str(status.phase), "endpoint": status.endpoint}


def _remove_instance(work: Work, found: Found) -> None:
    if not found["existed"]:
        work.backend.deprovision(work.tenant, work.specification().namespace, timeout=work.timeout)


def _check_health(work: Work) -> Found:
    status = work.backend.status(work.tenant, work.specification().namespace)
    if status.phase is not Phase.HEALTHY:
        raise ProvisioningError(
            f"The instance is {status.phase}. {status.detail}".rstrip(),
            where=work.specification().namespace,
            remedy="`tenant-pipeline instance logs` shows what it said.",
        )
    return {"endpoint": status.endpoint}


def _probe(work: Work) -> Found:
    return probe_isolation(work.runtime, work.backend, work.specification()).as_json()


STEPS = (
    Step("role", _find_role, _make_role, _drop_role),
    Step("schema", _find_schema, _make_schema, _drop_new_and_empty),
    Step("grants_and_row_level_security", _nothing_found, _check_grants, _nothing_to_undo),
    Step(INSTANCE, _find_instance, _apply, _remove_instance),
    Step("instance_healthy", _nothing_found, _check_health, _nothing_to_undo),
    Step("isolation_probe", _nothing_found, _probe, _nothing_to_undo),
)
