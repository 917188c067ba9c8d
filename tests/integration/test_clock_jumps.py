"""A clock jumps ahead or is set back: nothing is approved by it, let in by it, or lost. Feeds are in `test_faults`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.declarations import DeclaredClass
from tenant_pipeline.services import privacy_declarations, roles, sources
from tenant_pipeline.services.access import revoke_tokens_of
from tenant_pipeline.services.approvals import queue
from tenant_pipeline.services.approvals.line import operations_in_line
from tenant_pipeline.services.approvals.records import one_request
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.declared_privacy import DeclarationRecord, in_force
from tenant_pipeline.services.feature_flags import overrides
from tenant_pipeline.services.feature_flags.overrides import switched_off, values_of
from tenant_pipeline.services.runtime import Runtime
from tests.api.conftest import serving
from tests.integration.approval_steps import Clock, approve_all, ask, runtime, tenant, use
from tests.integration.conftest import SOURCE, VICTIM

__all__ = ["runtime", "tenant"]  # fixtures

YEAR, MONTH = timedelta(days=365), timedelta(days=31)


def test_no_jump_of_the_clock_approves_a_request_or_takes_it_away(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    late = Clock.at(runtime, request.request.due_at - datetime.now(UTC) + timedelta(minutes=1))
    clocks = [Clock.at(runtime, YEAR), late, Clock.at(runtime, -YEAR), late, Clock.at(runtime, YEAR), runtime]
    escalated = []
    for at in clocks:
        escalated += [each.request.id for each in queue.escalate_breaches(at) if each.tenant == tenant]
        with pytest.raises(ApprovalMissingError):
            use(at, tenant)
    assert escalated == [request.request.id], "once, however often the clock passes that moment"
    with runtime.database.platform() as connection:
        found = one_request(connection, tenant, request.request.id, runtime.now())
    assert found.standing.state is RequestState.WAITING
    approve_all(runtime, found)
    assert len(use(runtime, tenant)) == 3
    for at in clocks:
        with pytest.raises(ApprovalMissingError):
            use(at, tenant)


def test_what_has_expired_is_not_let_in_by_a_clock_that_is_set_back(runtime: Runtime, tenant: TenantId) -> None:
    then = Clock.at(runtime, -2 * MONTH)
    approve_all(then, ask(then, tenant))
    with pytest.raises(ApprovalMissingError, match="is expired"):
        use(then, tenant)
    assert not [each for each in operations_in_line(then, tenant=tenant) if not each.missing]


def test_a_flags_value_ends_in_time_whatever_our_clock_says(runtime: Runtime, tenant: TenantId) -> None:
    links, word = "intake.links", {"person": "ann", "role": "tenant-admin", "reason": "For an hour"}
    then = Clock.at(runtime, -MONTH)

    def everywhere(at: Runtime) -> set[bool]:
        with at.database.platform() as connection:
            off = tenant in switched_off(connection, links, at.now())
            return {bool(values_of(connection, tenant, at.now())[links]), not off}

    overrides.set_flag(runtime, tenant, links, False, expires_at=runtime.now() + timedelta(seconds=1), **word)
    assert everywhere(then) == everywhere(runtime) == {False}
    time.sleep(1.1)
    assert everywhere(runtime) == {True}
    assert everywhere(then) == {True}, "a clock that is set back does not keep it"
    assert tenant in overrides.end_expired(then, then.now(), then.now()), "and its instance is told"
    with pytest.raises(InputError, match="expired already"):
        overrides.set_flag(then, tenant, links, False, expires_at=runtime.now() - timedelta(days=1), **word)


def test_a_declaration_ends_in_time_whatever_our_clock_says(runtime: Runtime) -> None:
    then = Clock.at(runtime, -MONTH)
    with pytest.raises(InputError, match="expired already"):
        _declared(then, runtime.now() - timedelta(days=1))
    roles.grant_role(runtime, VICTIM, person="gov", role="founder", granted_by="test")
    made = _declared(runtime, runtime.now() + timedelta(seconds=1))
    privacy_declarations.sign(runtime, VICTIM, made.id, person="gov", role="founder", reason="Harmless")

    def holds(at: Runtime) -> tuple[bool, str]:
        with at.database.tenant(VICTIM) as connection:
            source = sources.get_source(connection, VICTIM, SOURCE)
            found = {each.id for each in in_force(connection, source, at.now())}
        (listed,) = [each for each in privacy_declarations.list_declarations(at, VICTIM) if each.id == made.id]
        return made.id in found, listed.state(at.now())

    assert holds(then) == holds(runtime) == (True, "signed")
    time.sleep(1.1)
    assert holds(runtime) == (False, "expired")
    assert holds(then) == (False, "expired"), "a clock that is set back does not keep it"


def _declared(at: Runtime, until: datetime) -> DeclarationRecord:
    return privacy_declarations.declare(
        at, VICTIM, DeclaredClass.NO_SPECIAL_CATEGORY, person="kanya", reason=f"x {until}", source=SOURCE, field="note",
        expires_at=until,
    )  # fmt: skip


def test_tokens_of_another_time_and_tokens_taken_back_at_another_time_are_refused(
    runtime: Runtime, tenant: TenantId
) -> None:
    hour = timedelta(hours=1)

    def issued(at: Runtime) -> str:
        return LocalIssuer(at).access_token("ann", tenant, hour)

    with serving(runtime) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:

        def status(token: str) -> int:
            asked = client.get(f"/api/tenant/{tenant}/feeds", headers={"Authorization": f"Bearer {token}"})
            return asked.status_code

        good = issued(runtime)
        assert status(good) == 200
        assert status(issued(Clock.at(runtime, 2 * hour))) == 401, "issued by a clock that was ahead, and is right now"
        assert status(issued(Clock.at(runtime, -2 * hour))) == 401, "over, though the issuer's clock says otherwise"
        revoke_tokens_of(Clock.at(runtime, -2 * hour), tenant, "ann", revoked_by="gov")
        assert status(good) == 401, "taken back by a clock that was set back behind its issue"
        assert status(issued(runtime)) == 200
