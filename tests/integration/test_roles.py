"""Who may do what: nobody anything until it is granted, and in no other tenant than where it was."""

from __future__ import annotations

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import ATTACKER, VICTIM, TwoTenants

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
