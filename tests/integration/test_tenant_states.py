"""What a tenant's state allows: out of service nothing goes in or out, and no way leads around a gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.errors import InputError, NotAllowedError, ProvisioningError
from tenant_pipeline.core.lifecycle import StateForbidsError, TenantState, TransitionRefusedError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.local_process.backend import LocalProcesses
from tenant_pipeline.provisioning.provisioner import Phase
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.clock import clock
from tenant_pipeline.services import lifecycle, registry, sources
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.line import operations_in_line
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError, RequestEndedError
from tenant_pipeline.services.approvals.requesting import request_operation
from tenant_pipeline.services.coverage import tenant as coverage_of_tenant
from tenant_pipeline.services.coverage.overrides import withdraw_override
from tenant_pipeline.services.going_live import instances
from tenant_pipeline.services.going_live.instances import provision_approved, request_instance
from tenant_pipeline.services.going_live.listings import list_approved, request_listing
from tenant_pipeline.services.going_live.releases import publish_approved, request_release, request_rollback
from tenant_pipeline.services.marketplace.drafting import ListingTerms
from tenant_pipeline.services.marketplace.listing import list_listings, listing_history
from tenant_pipeline.services.provisioning.operations import operations
from tenant_pipeline.services.provisioning.standing import (
    bring_back,
    rest_instance,
)
from tenant_pipeline.services.releases.reading import list_releases, live_release, publishing_history
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import waiting_sources
from tenant_pipeline.services.templates.publishing import publish_template, shipped
from tenant_pipeline.services.templates.upgrading import plan_upgrade, upgrade
from tenant_pipeline.storage.database import Connection
from tests.integration.conflict_statements import Sources
from tests.integration.provisioned import small_instances, take_down
from tests.integration.releasable import approve_everything, brought_up, publish_draft, releasable, settle, went_live

PUBLIC = ListingTerms("public", "read", resell=False)


@pytest.fixture
def runtime(own_installation: Runtime) -> Runtime:
    return own_installation


@pytest.fixture
def backend(runtime: Runtime) -> LocalProcesses:
    return small_instances(runtime)


@pytest.fixture
def live(runtime: Runtime) -> Sources:
    """A live tenant without an instance."""
    made = releasable(runtime)
    publish_draft(runtime, made.tenant)
    registry.update_tenant(runtime, made.tenant, person="anan", pdpa_agreement_ref="DPA-1")
    went_live(runtime, made.tenant)
    return made


@pytest.fixture
def served(runtime: Runtime, backend: LocalProcesses) -> Iterator[Sources]:
    """A tenant that went live the whole way, with an instance that stands."""
    made = releasable(runtime)
    publish_draft(runtime, made.tenant)
    assert brought_up(runtime, made.tenant, backend)["state"] == "live"
    yield made
    take_down(runtime, made.tenant, backend)


def back(runtime: Runtime, tenant: TenantId, backend: LocalProcesses, *states: TenantState) -> None:
    for state in states:
        lifecycle.step_back(
            runtime, tenant, state, person="gov", role="platform-governance", reason="Dispute", backend=backend
        )


def suspend(runtime: Runtime, tenant: TenantId, backend: LocalProcesses) -> None:
    back(runtime, tenant, backend, TenantState.SUSPENDED)


def set_state(runtime: Runtime, tenant: TenantId, state: str) -> None:
    """As a process that was killed right after its transaction, or an older version, would have left it."""
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET status = %s WHERE id = %s", (state, tenant))


def state_of(runtime: Runtime, tenant: TenantId) -> str:
    return str(registry.show_tenant(runtime, tenant)["status"])


def phase(runtime: Runtime, tenant: TenantId, backend: LocalProcesses) -> Phase:
    return backend.status(tenant, f"tenant-{tenant}").phase


def version_of(runtime: Runtime, tenant: TenantId) -> str:
    with runtime.database.platform() as connection:
        release = live_release(connection, tenant)
    assert release is not None
    return release.version


def is_listed(runtime: Runtime, tenant: TenantId) -> bool:
    return any(each["tenant"] == tenant for each in list_listings(runtime, viewer=tenant))


def ask_to_return(runtime: Runtime, tenant: TenantId) -> None:
    content = lifecycle.lifecycle_content(runtime, tenant, TenantState.LIVE)
    request_operation(runtime, tenant, Operation.LIFECYCLE, content, requested_by="kanya", reason="Settled")
    approve_everything(runtime, tenant)


def add_a_hall(made: Sources) -> None:
    made.say(5, ("name", "en", "New Arena"), entity="can-arena", compare=False)
    settle(made)


def test_suspending_ends_what_was_asked_for_and_nothing_is_published_by_it(
    runtime: Runtime, live: Sources, backend: LocalProcesses
) -> None:
    tenant = live.tenant
    add_a_hall(live)
    requests = request_release(runtime, tenant, requested_by="kanya")
    suspend(runtime, tenant, backend)
    with pytest.raises(RequestEndedError):
        decide(
            runtime, tenant, requests[0].request.id, digest=requests[0].request.subject_digest, approves=True,
            person="rin", role="reviewer", reason="",
        )  # fmt: skip
    with pytest.raises(StateForbidsError, match="suspended"):
        publish_approved(runtime, tenant, run_by="run")
    assert version_of(runtime, tenant) == "1.0.0"
    ask_to_return(runtime, tenant)
    lifecycle.return_to_service(runtime, tenant, person="anan", backend=backend)
    with pytest.raises(ApprovalMissingError, match="nothing was asked for"):
        publish_approved(runtime, tenant, run_by="run")


def test_no_way_leads_around_the_state_and_what_was_approved_stays_unused(runtime: Runtime, live: Sources) -> None:
    tenant = live.tenant
    add_a_hall(live)
    request_release(runtime, tenant, requested_by="kanya")
    request_instance(runtime, tenant, requested_by="kanya")
    request_listing(runtime, tenant, PUBLIC, requested_by="kanya")
    approve_everything(runtime, tenant)
    deeds: dict[Operation, tuple[Callable[..., Any], Callable[..., Any]]] = {
        Operation.RELEASE: (publish_approved, lambda: request_release(runtime, tenant, requested_by="kanya")),
        Operation.INSTANCE: (provision_approved, lambda: request_instance(runtime, tenant, requested_by="kanya")),
        Operation.LISTING: (list_approved, lambda: request_listing(runtime, tenant, PUBLIC, requested_by="kanya")),
    }
    for state, refused in (
        ("suspended", tuple(deeds)),
        ("archived", tuple(deeds)),
        ("draft", (Operation.INSTANCE, Operation.LISTING)),
        ("pilot", (Operation.LISTING,)),
    ):
        set_state(runtime, tenant, state)
        for operation in refused:
            do, ask = deeds[operation]
            with pytest.raises(StateForbidsError, match=state) as error:
                do(runtime, tenant, run_by="run")
            assert error.value.remedy
            with pytest.raises(StateForbidsError, match=state):
                ask()
            (line,) = operations_in_line(runtime, operation, tenant=tenant)
            assert line.missing == (f"the tenant is {state}",)
    standing = {each.standing.state for each in list_requests(runtime, tenant) if "used" not in _steps(each)}
    assert standing == {RequestState.APPROVED}
    set_state(runtime, tenant, "live")
    assert list_approved(runtime, tenant, run_by="run")["version"] == "1.0.0"
    assert publish_approved(runtime, tenant, run_by="run")["version"] == "1.1.0"


def _steps(request: Any) -> set[str]:
    return {step["step"] for step in request.steps}


def test_a_decision_is_refused_where_the_state_does_not_allow_the_operation(runtime: Runtime, live: Sources) -> None:
    (request,) = request_listing(runtime, live.tenant, PUBLIC, requested_by="kanya")
    set_state(runtime, live.tenant, "suspended")
    with pytest.raises(StateForbidsError, match="suspended"):
        approve_everything(runtime, live.tenant)
    assert list_requests(runtime, live.tenant, waiting_only=True)[0].request.id == request.request.id


def test_of_suspending_and_publishing_at_once_the_state_says_which_came_first(
    runtime: Runtime, live: Sources, backend: LocalProcesses
) -> None:
    add_a_hall(live)
    request_release(runtime, live.tenant, requested_by="kanya")
    approve_everything(runtime, live.tenant)

    def attempt() -> str:
        try:
            return str(publish_approved(runtime, live.tenant, run_by="run")["version"])
        except (StateForbidsError, ApprovalMissingError):
            return "1.0.0"

    with ThreadPoolExecutor(2) as pool:
        publishing = pool.submit(attempt)
        pool.submit(suspend, runtime, live.tenant, backend).result()
        at_once = version_of(runtime, live.tenant)
        assert at_once == publishing.result() == version_of(runtime, live.tenant)
    assert state_of(runtime, live.tenant) == "suspended"


def test_a_suspended_tenant_is_listed_and_served_nowhere_until_it_returns_and_an_archived_one_never(
    runtime: Runtime, served: Sources, backend: LocalProcesses
) -> None:
    tenant = served.tenant
    request_listing(runtime, tenant, PUBLIC, requested_by="kanya")
    approve_everything(runtime, tenant)
    list_approved(runtime, tenant, run_by="run")
    assert is_listed(runtime, tenant)
    suspend(runtime, tenant, backend)
    assert not is_listed(runtime, tenant)
    last = listing_history(runtime, tenant)[-1]
    assert (last["step"], last["reason"], last["person"]) == ("withdrawn", "The tenant is suspended", "gov")
    assert phase(runtime, tenant, backend) is Phase.ABSENT
    assert tenant not in [each.tenant for each in bring_back(runtime, backend, timeout=20)]
    assert phase(runtime, tenant, backend) is Phase.ABSENT
    ask_to_return(runtime, tenant)
    assert lifecycle.return_to_service(runtime, tenant, person="anan", backend=backend).tenant["status"] == "live"
    assert phase(runtime, tenant, backend) is Phase.HEALTHY
    assert not is_listed(runtime, tenant)
    back(runtime, tenant, backend, TenantState.SUSPENDED, TenantState.ARCHIVED)
    list(bring_back(runtime, backend, timeout=20))
    assert phase(runtime, tenant, backend) is Phase.ABSENT
    with pytest.raises(TransitionRefusedError):
        lifecycle.lifecycle_content(runtime, tenant, TenantState.LIVE)


def test_a_pilot_that_ended_is_archived_and_its_instance_rests(
    runtime: Runtime, served: Sources, backend: LocalProcesses
) -> None:
    back(runtime, served.tenant, backend, TenantState.PILOT)
    assert phase(runtime, served.tenant, backend) is Phase.HEALTHY
    back(runtime, served.tenant, backend, TenantState.ARCHIVED)
    assert phase(runtime, served.tenant, backend) is Phase.ABSENT
    list(bring_back(runtime, backend, timeout=20))
    assert phase(runtime, served.tenant, backend) is Phase.ABSENT


def test_a_draft_that_was_a_mistake_is_archived_by_governance_and_takes_nothing_in(
    runtime: Runtime, backend: LocalProcesses, tmp_path: Path
) -> None:
    made = releasable(runtime)
    tenant = made.tenant
    request_release(runtime, tenant, requested_by="kanya")
    page = tmp_path / "halls.csv"
    page.write_text("name_en\nHall\n")

    def archive(person: str, role: str, reason: str = "Registered twice") -> None:
        lifecycle.step_back(
            runtime, tenant, TenantState.ARCHIVED, person=person, role=role, reason=reason, backend=backend
        )

    with pytest.raises(NotAllowedError):
        archive("anan", "tenant-admin")
    with pytest.raises(NotAllowedError):
        archive("anan", "platform-governance")
    with pytest.raises(InputError, match="reason"):
        archive("gov", "platform-governance", " ")
    assert state_of(runtime, tenant) == "draft"
    archive("gov", "platform-governance")
    last = lifecycle.transitions_of(runtime, tenant)[-1]
    assert (last["from_state"], last["to_state"], last["person"], last["reason"]) == (
        "draft", "archived", "gov", "Registered twice",
    )  # fmt: skip
    assert list_requests(runtime, tenant, waiting_only=True) == []
    with pytest.raises(StateForbidsError, match="archived"):
        sources.add_source(
            runtime, tenant, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(page)], title="t",
            actor="test",
        )  # fmt: skip
    assert not [each for each in waiting_sources(runtime, 1000, of_a_tenant=100) if each.tenant == tenant]
    for state in set(TenantState) - {TenantState.ARCHIVED}:
        with pytest.raises(TransitionRefusedError, match="archived"):
            back(runtime, tenant, backend, state)


def test_what_a_suspension_that_was_cut_off_left_standing_is_neither_shown_nor_left_to_stand(
    runtime: Runtime, served: Sources, backend: LocalProcesses
) -> None:
    tenant = served.tenant
    request_listing(runtime, tenant, PUBLIC, requested_by="kanya")
    approve_everything(runtime, tenant)
    list_approved(runtime, tenant, run_by="run")
    set_state(runtime, tenant, "suspended")
    assert not is_listed(runtime, tenant)
    clock(dg.build_sensor_context(resources={"runtime": RuntimeAccess(runtime)}))
    assert phase(runtime, tenant, backend) is Phase.ABSENT
    assert not rest_instance(runtime, tenant, backend, timeout=20, actor="clock")
    with runtime.database.tenant(tenant) as connection:
        rested = connection.execute("SELECT actor FROM runtime.audit_log WHERE action = 'instance.rested'").fetchall()
    assert rested == [{"actor": "clock"}]


def test_a_source_in_line_waits_while_its_tenant_is_out_of_service(runtime: Runtime, live: Sources) -> None:
    with runtime.database.tenant(live.tenant) as connection:
        connection.execute("UPDATE runtime.tenant_sources SET ingest_status = 'waiting'")

    def in_line() -> bool:
        return live.tenant in [each.tenant for each in waiting_sources(runtime, 10_000, of_a_tenant=1)]

    assert in_line()
    set_state(runtime, live.tenant, "suspended")
    assert not in_line()


def test_who_returns_has_to_meet_what_going_live_asks_for_and_the_approvals_are_kept_until_then(
    runtime: Runtime, live: Sources, backend: LocalProcesses
) -> None:
    tenant = live.tenant
    dimension = next(each.id for each in runtime.contracts.coverage_dimensions if each.overridable)
    withdraw_override(runtime, tenant, dimension, reason="Over", person="gov", role="platform-governance")
    suspend(runtime, tenant, backend)
    ask_to_return(runtime, tenant)
    with pytest.raises(TransitionRefusedError, match="coverage is not green"):
        lifecycle.return_to_service(runtime, tenant, person="anan", backend=backend)
    assert state_of(runtime, tenant) == "suspended"
    assert phase(runtime, tenant, backend) is Phase.ABSENT
    settle(live)
    assert lifecycle.return_to_service(runtime, tenant, person="anan", backend=backend).tenant["status"] == "live"


@pytest.fixture
def counted_beside_others(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> list[TenantId]:
    """Whose coverage was counted: each time, others could sign and be noted in the audit log."""
    seen: list[TenantId] = []
    count = coverage_of_tenant.count_evidence

    def counted(runtime: Runtime, connection: Connection, tenant: TenantId) -> dict[str, Any]:
        with runtime.database.platform() as other:
            other.execute("SET LOCAL lock_timeout = '1s'")
            for purpose in ("approvals of", "audit"):
                other.execute("SELECT app.lock(%s, %s)", (purpose, tenant))
        seen.append(tenant)
        return count(runtime, connection, tenant)

    monkeypatch.setattr(coverage_of_tenant, "count_evidence", counted)
    return seen


def test_a_tenant_that_went_back_to_draft_comes_live_again_through_every_gate(
    runtime: Runtime, served: Sources, backend: LocalProcesses, counted_beside_others: list[TenantId]
) -> None:
    tenant = served.tenant
    back(runtime, tenant, backend, TenantState.PILOT)
    assert phase(runtime, tenant, backend) is Phase.HEALTHY
    back(runtime, tenant, backend, TenantState.REVIEW, TenantState.DRAFT)
    assert phase(runtime, tenant, backend) is Phase.ABSENT
    with pytest.raises(StateForbidsError, match="draft") as error:
        request_instance(runtime, tenant, requested_by="kanya", backend=backend)
    assert "release first" in error.value.remedy
    requests = request_release(runtime, tenant, requested_by="kanya")
    assert [str(each.request.gate) for each in requests] == [
        "gate-review", "gate-conflict-resolution", "gate-go-live",
    ]  # fmt: skip
    with pytest.raises(ApprovalMissingError):
        publish_approved(runtime, tenant, run_by="run")
    approve_everything(runtime, tenant)
    assert publish_approved(runtime, tenant, run_by="run")["version"] == "1.0.0"
    assert state_of(runtime, tenant) == "review"
    with runtime.database.tenant(tenant) as connection:
        connection.execute("UPDATE runtime.coverage_counts SET version = ''")
    counted_beside_others.clear()
    assert brought_up(runtime, tenant, backend)["state"] == "live"
    assert counted_beside_others == [tenant]
    assert phase(runtime, tenant, backend) is Phase.HEALTHY
    with runtime.database.platform() as connection:
        stages = [each["stage"] for each in publishing_history(connection, tenant)]
    assert stages == ["draft", "review", "approved", "published", "review", "approved", "published"]


def test_what_was_asked_for_over_the_live_release_is_void_once_another_is_live(
    runtime: Runtime, live: Sources, backend: LocalProcesses
) -> None:
    tenant = live.tenant
    back(runtime, tenant, backend, TenantState.PILOT, TenantState.REVIEW, TenantState.DRAFT)
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)
    add_a_hall(live)
    publish_draft(runtime, tenant)
    assert (version_of(runtime, tenant), state_of(runtime, tenant)) == ("1.1.0", "review")


def test_going_back_to_a_release_takes_no_draft_to_review(
    runtime: Runtime, live: Sources, backend: LocalProcesses
) -> None:
    tenant = live.tenant
    add_a_hall(live)
    publish_draft(runtime, tenant)
    back(runtime, tenant, backend, TenantState.PILOT, TenantState.REVIEW, TenantState.DRAFT)
    with runtime.database.platform() as connection:
        first = list_releases(connection, tenant)[0]
    request_rollback(runtime, tenant, first.digest, requested_by="kanya", reason="Wrong hall")
    approve_everything(runtime, tenant)
    assert publish_approved(runtime, tenant, run_by="run")["operation"] == "rollback"
    assert (version_of(runtime, tenant), state_of(runtime, tenant)) == ("1.0.0", "draft")


class KilledError(BaseException):
    """Nothing more is done, as when the process is killed."""


@pytest.fixture
def asked(runtime: Runtime, backend: LocalProcesses) -> Sources:
    """A tenant in review whose instance is approved."""
    made = releasable(runtime)
    publish_draft(runtime, made.tenant)
    registry.update_tenant(runtime, made.tenant, person="anan", pdpa_agreement_ref="DPA-1")
    request_instance(runtime, made.tenant, requested_by="kanya", backend=backend)
    approve_everything(runtime, made.tenant)
    return made


def outcomes(runtime: Runtime, tenant: TenantId) -> list[str]:
    with runtime.database.platform() as connection:
        return [each.outcome for each in operations(connection, tenant)]


def test_an_instance_that_was_killed_at_its_last_step_goes_on_to_live_with_the_approvals_it_used(
    runtime: Runtime, asked: Sources, backend: LocalProcesses
) -> None:
    def on_step(step: str, moment: str) -> None:
        if (step, moment) == ("isolation_probe", "after"):
            raise KilledError

    with pytest.raises(KilledError):
        provision_approved(runtime, asked.tenant, run_by="run", backend=backend, on_step=on_step)
    assert state_of(runtime, asked.tenant) == "review"
    assert not rest_instance(runtime, asked.tenant, backend, timeout=20, actor="clock")
    assert provision_approved(runtime, asked.tenant, run_by="run", backend=backend)["state"] == "live"
    take_down(runtime, asked.tenant, backend)


def test_an_instance_whose_tenant_goes_back_to_draft_meanwhile_is_taken_back(
    runtime: Runtime, asked: Sources, backend: LocalProcesses
) -> None:

    def on_step(step: str, moment: str) -> None:
        if (step, moment) == ("isolation_probe", "before"):
            set_state(runtime, asked.tenant, "draft")

    with pytest.raises(StateForbidsError, match="draft"):
        provision_approved(runtime, asked.tenant, run_by="run", backend=backend, on_step=on_step)
    assert phase(runtime, asked.tenant, backend) is Phase.ABSENT


def test_an_instance_that_was_killed_and_whose_tenant_was_suspended_since_is_taken_back(
    runtime: Runtime, asked: Sources, backend: LocalProcesses
) -> None:
    def on_step(step: str, moment: str) -> None:
        if (step, moment) == ("instance_healthy", "after"):
            raise KilledError

    with pytest.raises(KilledError):
        provision_approved(runtime, asked.tenant, run_by="run", backend=backend, on_step=on_step)
    assert phase(runtime, asked.tenant, backend) is Phase.HEALTHY
    set_state(runtime, asked.tenant, "suspended")
    with pytest.raises(StateForbidsError, match="suspended"):
        provision_approved(runtime, asked.tenant, run_by="run", backend=backend)
    assert phase(runtime, asked.tenant, backend) is Phase.ABSENT
    assert outcomes(runtime, asked.tenant) == ["compensated"]


def test_an_instance_that_failed_and_was_killed_while_it_was_taken_back_needs_approvals_anew(
    runtime: Runtime, asked: Sources, backend: LocalProcesses
) -> None:
    def on_step(step: str, moment: str) -> None:
        if (step, moment) == ("isolation_probe", "before"):
            raise ProvisioningError("It came through")
        if (step, moment) == ("namespace_and_instance", "before undoing"):
            raise KilledError

    with pytest.raises(KilledError):
        provision_approved(runtime, asked.tenant, run_by="run", backend=backend, on_step=on_step)
    types = {**shipped(runtime).as_json()["types"], "BusStop": {"required": [], "optional": ["name"]}}
    publish_template(runtime, {"version": "1.1.0", "types": types}, published_by="gov")
    plan = plan_upgrade(runtime, asked.tenant, "1.1.0").digest()
    upgrade(runtime, asked.tenant, "1.1.0", plan=plan, person="gov", role="platform-governance")
    for _ in range(2):
        with pytest.raises(ApprovalMissingError):
            provision_approved(runtime, asked.tenant, run_by="run", backend=backend)
        assert phase(runtime, asked.tenant, backend) is Phase.ABSENT
        assert outcomes(runtime, asked.tenant) == ["compensated"]
    assert state_of(runtime, asked.tenant) == "review"


def test_the_approvals_of_what_somebody_else_finished_meanwhile_bring_nothing_up_again(
    runtime: Runtime, asked: Sources, backend: LocalProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_step(step: str, moment: str) -> None:
        if (step, moment) == ("isolation_probe", "before"):
            raise KilledError

    with pytest.raises(KilledError):
        provision_approved(runtime, asked.tenant, run_by="run", backend=backend, on_step=on_step)
    look = instances._unfinished

    def overtaken(runtime: Runtime, tenant: TenantId) -> Any:
        found = look(runtime, tenant)
        monkeypatch.setattr(instances, "_unfinished", look)
        assert provision_approved(runtime, tenant, run_by="other", backend=backend)["state"] == "live"
        return found

    monkeypatch.setattr(instances, "_unfinished", overtaken)
    with pytest.raises(ApprovalMissingError):
        provision_approved(runtime, asked.tenant, run_by="run", backend=backend)
    assert phase(runtime, asked.tenant, backend) is Phase.HEALTHY
    assert outcomes(runtime, asked.tenant) == ["done"]
    take_down(runtime, asked.tenant, backend)
