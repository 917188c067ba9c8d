"""A clock jumps ahead or is set back: nothing is approved by it, let in by it, or lost. Feeds are in `test_faults`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.access import revoke_tokens_of
from tenant_pipeline.services.approvals import queue
from tenant_pipeline.services.approvals.line import operations_in_line
from tenant_pipeline.services.approvals.records import one_request
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.runtime import Runtime
from tests.api.conftest import serving
from tests.integration.test_approvals import Clock, approve_all, ask, runtime, tenant, use

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
