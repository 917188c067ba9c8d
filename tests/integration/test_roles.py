"""Who may do what: nobody anything until it is granted, and in no other tenant than where it was."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import appointments, roles
from tenant_pipeline.services.audit_trail import verify_audit
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import ATTACKER, VICTIM, TwoTenants
from tests.registered import registered

ANN = "ann-of-the-roles@city.example"


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


def _may(runtime: Runtime, tenant: TenantId, person: str, role: str = "reviewer") -> bool:
    with runtime.database.tenant(tenant) as connection:
        try:
            require_role(connection, tenant, person, role, {"reviewer"})
        except NotAllowedError:
            return False
    return True


def test_a_role_holds_from_its_grant_to_its_end_and_in_its_tenant_only(runtime: Runtime) -> None:
    assert not _may(runtime, VICTIM, ANN)
    for _ in range(2):
        roles.grant_role(runtime, VICTIM, person=ANN, role="reviewer", granted_by="operator")
    assert _may(runtime, VICTIM, ANN)
    assert not _may(runtime, ATTACKER, ANN)
    assert not _may(runtime, VICTIM, ANN, role="founder")
    roles.revoke_role(runtime, VICTIM, person=ANN, role="reviewer", revoked_by="operator")
    assert not _may(runtime, VICTIM, ANN)
    with runtime.database.tenant(VICTIM) as connection:
        audited = connection.execute(
            "SELECT action FROM runtime.audit_log WHERE tenant_id = %s AND subject = %s ORDER BY sequence",
            (VICTIM, ANN),
        ).fetchall()
    assert [row["action"] for row in audited] == ["role.granted", "role.revoked"]


def test_a_role_that_the_contract_does_not_know_is_refused(runtime: Runtime) -> None:
    with pytest.raises(InputError, match="no such role"):
        roles.grant_role(runtime, VICTIM, person=ANN, role="superuser", granted_by="operator")
    with pytest.raises(InputError, match="person"):
        roles.grant_role(runtime, VICTIM, person=" ", role="reviewer", granted_by="operator")
    with pytest.raises(NotFoundError):
        roles.revoke_role(runtime, VICTIM, person=ANN, role="founder", revoked_by="operator")


@pytest.mark.parametrize("tenant", [VICTIM, ATTACKER])
def test_a_tenant_grants_itself_nothing_and_takes_nothing(tenants: TwoTenants, tenant: str) -> None:
    with tenants.login(ATTACKER) as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute(
            "INSERT INTO runtime.tenant_user_roles (tenant_id, person, role, granted_by)"
            " VALUES (%s, 'eve', 'founder', 'eve')",
            (tenant,),
        )
    with tenants.login(ATTACKER) as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute("DELETE FROM runtime.tenant_user_roles WHERE tenant_id = %s", (tenant,))


@pytest.fixture
def roles_in_new_tenant(runtime: Runtime) -> Iterator[Callable[[], set[tuple[str, str]]]]:
    """Registers a tenant, and tells who has which role in it; nobody stays appointed."""

    def register() -> set[tuple[str, str]]:
        tenant = registered(runtime, f"new-{uuid.uuid4().hex[:10]}", admin="ploy")
        assert verify_audit(runtime, tenant)[0]["intact"]
        return {(row["person"], row["role"]) for row in roles.list_roles(runtime, tenant)}

    yield register
    for person, role in (("gail", "platform-governance"), ("cy", "founder")):
        with suppress(NotFoundError):
            appointments.dismiss(runtime, person=person, role=role, decided_by="test", reason="The test is over")


def test_whoever_answers_for_the_installation_holds_their_role_in_every_new_tenant(
    runtime: Runtime, roles_in_new_tenant: Callable[[], set[tuple[str, str]]]
) -> None:
    assert roles_in_new_tenant() == {("ploy", "tenant-admin")}
    for _ in range(2):
        for person, role in (("gail", "platform-governance"), ("cy", "founder")):
            appointments.appoint(runtime, person=person, role=role, decided_by="operator", reason="They answer for it")
    assert roles_in_new_tenant() == {("ploy", "tenant-admin"), ("gail", "platform-governance"), ("cy", "founder")}
    appointments.dismiss(runtime, person="gail", role="platform-governance", decided_by="operator", reason="Left")
    assert roles_in_new_tenant() == {("ploy", "tenant-admin"), ("cy", "founder")}
    steps = [(row["person"], row["step"]) for row in appointments.appointments(runtime)]
    assert steps[-3:] == [("gail", "appointed"), ("cy", "appointed"), ("gail", "dismissed")]


def test_an_appointment_is_to_a_role_of_the_platform_by_name_and_for_a_reason(runtime: Runtime) -> None:
    for person, role, reason in (("gail", "reviewer", "x"), (" ", "founder", "x"), ("gail", "founder", " ")):
        with pytest.raises(InputError):
            appointments.appoint(runtime, person=person, role=role, decided_by="operator", reason=reason)
    with pytest.raises(NotFoundError):
        appointments.dismiss(runtime, person="nobody", role="founder", decided_by="operator", reason="x")


def test_no_tenant_reads_or_writes_who_is_appointed_and_nobody_changes_the_record(tenants: TwoTenants) -> None:
    for statement in (
        "SELECT * FROM runtime.platform_appointments",
        "INSERT INTO runtime.platform_appointments (person, role, step, decided_by, reason)"
        " VALUES ('eve', 'founder', 'appointed', 'eve', 'x')",
    ):
        with tenants.login(ATTACKER) as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(statement)
    with tenants.superuser() as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute("TRUNCATE runtime.platform_appointments")
