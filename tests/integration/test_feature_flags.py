"""Flags per tenant: typed, owned, on the record, effective within seconds, and another tenant's are untouched."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode

from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles, sources
from tenant_pipeline.services.feature_flags.overrides import clear_flag, history_of, set_flag, values_of
from tenant_pipeline.services.feature_flags.provider import REMEMBERED, TenantFlags, client_of
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.registered import registered

WORD = {"person": "ann", "role": "tenant-admin", "reason": "Too many broken links"}


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    made = registered(runtime, f"flags-{uuid.uuid4().hex[:10]}")
    roles.grant_role(runtime, made, person="ann", role="tenant-admin", granted_by="test")
    return made


def value(runtime: Runtime, tenant: TenantId, name: str, now: datetime | None = None) -> object:
    with runtime.database.tenant(tenant) as connection:
        return values_of(connection, tenant, now or runtime.now())[name]


def test_a_tenants_own_value_holds_for_it_alone_until_it_is_cleared_or_expires(
    runtime: Runtime, tenant: TenantId
) -> None:
    set_flag(runtime, tenant, "intake.links", False, **WORD)
    assert (value(runtime, tenant, "intake.links"), value(runtime, ATTACKER, "intake.links")) == (False, True)
    clear_flag(runtime, tenant, "intake.links", **WORD)
    assert value(runtime, tenant, "intake.links") is True
    set_flag(runtime, tenant, "instance.search_least_score", 80, expires_at=runtime.now() + timedelta(hours=1), **WORD)
    assert value(runtime, tenant, "instance.search_least_score") == 80
    assert value(runtime, tenant, "instance.search_least_score", datetime.now(UTC) + timedelta(hours=2)) == 55
    assert [row["act"] for row in history_of(runtime, tenant)] == ["set", "clear", "set"]


def test_a_switched_off_flag_really_switches_off(runtime: Runtime, tenant: TenantId) -> None:
    set_flag(runtime, tenant, "intake.links", False, **WORD)
    with pytest.raises(InputError, match="switched off"):
        sources.add_source(
            runtime, tenant, origin=Origin.PRESS, unit_mode=UnitMode.LINK, places=["https://news.example/a"], title="t",
            actor="ann",
        )  # fmt: skip


def test_openfeature_gives_the_tenants_value_and_says_why_it_gives_a_default(
    runtime: Runtime, tenant: TenantId
) -> None:
    client = client_of(runtime)
    of_tenant = EvaluationContext(targeting_key=tenant)
    assert client.get_float_details("instance.search_least_score", 1.0, of_tenant).value == 55.0
    assert client.get_boolean_details("no.such", True, of_tenant).error_code == ErrorCode.FLAG_NOT_FOUND
    assert client.get_boolean_details("intake.links", True).error_code == ErrorCode.TARGETING_KEY_MISSING
    assert client.get_string_details("intake.links", "x", of_tenant).error_code == ErrorCode.TYPE_MISMATCH


def test_what_was_set_is_effective_once_the_remembered_value_is_too_old(runtime: Runtime, tenant: TenantId) -> None:
    time = [0.0]
    flags = TenantFlags(runtime, clock=lambda: time[0])
    context = EvaluationContext(targeting_key=tenant)
    assert flags.resolve_boolean_details("intake.links", True, context).value is True
    set_flag(runtime, tenant, "intake.links", False, **WORD)
    time[0] = REMEMBERED / 2
    assert flags.resolve_boolean_details("intake.links", True, context).value is True
    time[0] = REMEMBERED + 0.1
    assert flags.resolve_boolean_details("intake.links", True, context).value is False


def test_wrong_types_ranges_and_people_are_refused(runtime: Runtime, tenant: TenantId) -> None:
    for name, wrong in (
        ("intake.links", "false"),
        ("intake.links", 0),
        ("instance.search_least_score", True),
        ("instance.search_least_score", 101),
        ("no.such", True),
    ):
        with pytest.raises(InputError):
            set_flag(runtime, tenant, name, wrong, **WORD)
    with pytest.raises(NotAllowedError):
        set_flag(runtime, tenant, "marketplace.listings", False, **WORD)
    with pytest.raises(NotAllowedError):
        set_flag(runtime, ATTACKER, "intake.links", False, **WORD)
    with pytest.raises(InputError, match="reason"):
        set_flag(runtime, tenant, "intake.links", False, person="ann", role="tenant-admin", reason=" ")
    with pytest.raises(InputError, match="expired"):
        set_flag(runtime, tenant, "intake.links", False, expires_at=runtime.now(), **WORD)
    assert history_of(runtime, tenant) == []
