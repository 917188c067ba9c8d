"""What every provisioner must keep, told once: a backend's test file subclasses ProvisionerContract, giving `backend`.

class TestLocalProcesses(ProvisionerContract):
    kill_points = ("after the secret is written", …)

    @pytest.fixture
    def backend(self, …) -> Iterator[BackendUnderTest]: …
"""

from __future__ import annotations

import dataclasses
import logging
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

import pytest

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import (
    Action,
    InstanceSpecification,
    InstanceStatus,
    Phase,
    Provisioner,
    Secret,
)


class BackendUnderTest(Protocol):
    """A provisioner, and what a test must be able to see and do behind its back."""

    provisioner: Provisioner
    timeout: float
    """Seconds within which an instance becomes healthy here, or is gone."""

    def new_specification(self) -> InstanceSpecification:
        """One for a tenant and namespace that no other test uses, with a connection and token of its own."""
        ...

    def identity(self, specification: InstanceSpecification) -> str:
        """What differs once the running instance is another one: pid and start time, the pods' template, …"""
        ...

    def picture(self, specification: InstanceSpecification) -> object:
        """All that `apply` made, without names and values that follow from the tenant or from chance.

        Two instances of the same form have equal pictures.
        """
        ...

    def secrets_given(self, specification: InstanceSpecification) -> tuple[str, str]:
        """The connection and the access token that the instance reads."""
        ...

    def disturb(self, specification: InstanceSpecification) -> None:
        """Change something that `apply` made, behind the provisioner's back."""
        ...

    def squat(self, specification: InstanceSpecification) -> None:
        """Put something that is not ours where `apply` would put the instance."""
        ...

    def squatter(self, specification: InstanceSpecification) -> object:
        """What stands there now, comparable with what stood there before."""
        ...

    def hinder(self) -> AbstractContextManager[None]:
        """As long as it lasts, no new instance becomes healthy."""
        ...

    def apply_killed_at(self, specification: InstanceSpecification, point: str) -> None:
        """Run `apply` in a process of its own that is killed (SIGKILL) at the point; fails if it was not."""
        ...

    def leftovers(self, specification: InstanceSpecification) -> list[str]:
        """The names of everything that is still there of this instance, wherever it may be."""
        ...


class ProvisionerContract:
    """The promises of tenant_pipeline/provisioning/provisioner.py as tests."""

    kill_points: ClassVar[tuple[str, ...]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "kill_point" in metafunc.fixturenames:
            metafunc.parametrize("kill_point", type(self).kill_points)

    def test_it_has_a_name_and_says_what_it_keeps_apart(self, backend: BackendUnderTest) -> None:
        assert backend.provisioner.name
        told = dataclasses.asdict(backend.provisioner.capabilities)
        assert all(isinstance(value, bool) for value in told.values())

    def test_of_what_was_never_applied_there_is_nothing(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        assert _status(backend, specification).phase is Phase.ABSENT
        backend.provisioner.deprovision(
            specification.tenant, specification.namespace, timeout=backend.timeout
        )  # of what is not there: no error
        assert backend.leftovers(specification) == []

    def test_a_plan_for_nothing_creates_everything_and_itself_changes_nothing(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        plan = backend.provisioner.plan(specification)
        assert plan.tenant == specification.tenant
        assert plan.changes
        assert {change.action for change in plan.changes} == {Action.CREATE}
        assert _status(backend, specification).phase is Phase.ABSENT
        assert backend.leftovers(specification) == []

    def test_apply_brings_a_healthy_instance_with_its_own_secrets(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        assert _apply(backend, specification).phase is Phase.HEALTHY
        assert _status(backend, specification).phase is Phase.HEALTHY
        assert _status(backend, specification).tenant == specification.tenant
        assert backend.provisioner.plan(specification).changes_nothing
        assert backend.secrets_given(specification) == (
            specification.connection.value,
            specification.access_token.value,
        )

    def test_applying_again_leaves_the_running_instance_alone(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        _apply(backend, specification)
        before = backend.identity(specification), backend.picture(specification)
        assert _apply(backend, specification).phase is Phase.HEALTHY
        assert (backend.identity(specification), backend.picture(specification)) == before

    @pytest.mark.parametrize("mebibytes", [64, -64], ids=["larger", "smaller"])
    def test_a_changed_specification_is_planned_by_field_and_then_applied(
        self, backend: BackendUnderTest, mebibytes: int
    ) -> None:
        specification = backend.new_specification()
        _apply(backend, specification)
        resized = dataclasses.replace(specification, memory_mebibytes=specification.memory_mebibytes + mebibytes)
        plan = backend.provisioner.plan(resized)
        changed = [change for change in plan.changes if change.action is not Action.KEEP]
        assert changed
        assert all(change.differences for change in changed)
        assert {change.action for change in changed} <= {Action.UPDATE, Action.REPLACE}
        assert backend.provisioner.plan(specification).changes_nothing  # planning has not changed it
        assert _apply(backend, resized).phase is Phase.HEALTHY
        assert backend.provisioner.plan(resized).changes_nothing

    def test_a_rotated_secret_restarts_the_instance_and_is_shown_nowhere(
        self, backend: BackendUnderTest, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        specification = backend.new_specification()
        _apply(backend, specification)
        before = backend.identity(specification)
        rotated = dataclasses.replace(specification, access_token=Secret("rotated-" + specification.access_token.value))
        plan = backend.provisioner.plan(rotated)
        assert not plan.changes_nothing
        status = _apply(backend, rotated)
        assert backend.secrets_given(rotated)[1] == rotated.access_token.value
        assert backend.identity(rotated) != before
        assert backend.provisioner.plan(rotated).changes_nothing
        for text in (repr(plan), repr(status), repr(rotated), caplog.text):
            assert specification.access_token.value not in text
            assert specification.connection.value not in text

    def test_what_others_changed_is_shown_as_drift_and_put_right(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        _apply(backend, specification)
        picture = backend.picture(specification)
        backend.disturb(specification)
        assert not backend.provisioner.plan(specification).changes_nothing
        assert _apply(backend, specification).phase is Phase.HEALTHY
        assert backend.provisioner.plan(specification).changes_nothing
        assert backend.picture(specification) == picture

    def test_deprovisioning_leaves_nothing_and_can_be_called_again(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        _apply(backend, specification)
        assert backend.leftovers(specification)
        for _ in range(2):
            _deprovision(backend, specification)
            assert _status(backend, specification).phase is Phase.ABSENT
            assert backend.leftovers(specification) == []

    def test_an_instance_can_be_had_again_after_deprovisioning(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        _apply(backend, specification)
        picture = backend.picture(specification)
        _deprovision(backend, specification)
        assert _apply(backend, specification).phase is Phase.HEALTHY
        assert backend.picture(specification) == picture

    def test_taking_one_tenants_instance_away_leaves_the_others(self, backend: BackendUnderTest) -> None:
        one, other = backend.new_specification(), backend.new_specification()
        _apply(backend, one)
        _apply(backend, other)
        before = backend.identity(other), backend.picture(other)
        _deprovision(backend, one)
        assert _status(backend, one).phase is Phase.ABSENT
        assert _status(backend, other).phase is Phase.HEALTHY
        assert (backend.identity(other), backend.picture(other)) == before

    def test_another_tenants_namespace_is_refused_and_left_alone(self, backend: BackendUnderTest) -> None:
        owner = backend.new_specification()
        _apply(backend, owner)
        before = backend.identity(owner), backend.picture(owner)
        intruder = dataclasses.replace(backend.new_specification(), namespace=owner.namespace)
        with pytest.raises(ProvisioningError) as planned:
            backend.provisioner.plan(intruder)
        with pytest.raises(ProvisioningError) as applied:
            _apply(backend, intruder)
        with pytest.raises(ProvisioningError) as removed:
            _deprovision(backend, intruder)
        for refusal in (planned, applied, removed):
            assert refusal.value.where
            assert refusal.value.remedy
            _shows_no_secret(refusal, owner, intruder)
        assert _status(backend, owner).phase is Phase.HEALTHY
        assert (backend.identity(owner), backend.picture(owner)) == before

    def test_what_is_not_ours_is_refused_and_left_as_it_was(self, backend: BackendUnderTest) -> None:
        specification = backend.new_specification()
        backend.squat(specification)
        before = backend.squatter(specification)
        with pytest.raises(ProvisioningError) as planned:
            backend.provisioner.plan(specification)
        with pytest.raises(ProvisioningError) as applied:
            _apply(backend, specification)
        with pytest.raises(ProvisioningError) as removed:
            _deprovision(backend, specification)
        for refusal in (planned, applied, removed):
            assert refusal.value.where
            assert refusal.value.remedy
            _shows_no_secret(refusal, specification)
        assert backend.squatter(specification) == before

    def test_one_look_tells_what_is_there_and_what_was_not_applied_to_its_end(self, backend: BackendUnderTest) -> None:
        whole, killed, never = (backend.new_specification() for _ in range(3))
        assert _apply(backend, whole).phase is Phase.HEALTHY
        backend.apply_killed_at(killed, self.kill_points[0])
        found = backend.provisioner.standing()
        assert (found.get(whole.namespace), found.get(killed.namespace)) == (True, False)
        assert never.namespace not in found
        _apply(backend, killed)
        _deprovision(backend, whole)
        found = backend.provisioner.standing()
        assert found.get(killed.namespace) is True
        assert whole.namespace not in found

    def test_an_instance_that_does_not_become_healthy_in_time_is_told_and_comes_up_later(
        self, backend: BackendUnderTest
    ) -> None:
        specification = backend.new_specification()
        with backend.hinder():
            with pytest.raises(ProvisioningError) as late:
                backend.provisioner.apply(specification, timeout=4.0)
            assert late.value.remedy
            _shows_no_secret(late, specification)
            status = _status(backend, specification)
            assert status.phase in {Phase.STARTING, Phase.UNHEALTHY}
            assert status.detail
        assert _apply(backend, specification).phase is Phase.HEALTHY

    def test_killed_while_applying_it_goes_on_to_the_same_end(self, backend: BackendUnderTest, kill_point: str) -> None:
        killed, whole = backend.new_specification(), backend.new_specification()
        _apply(backend, whole)
        backend.apply_killed_at(killed, kill_point)
        assert _apply(backend, killed).phase is Phase.HEALTHY
        assert backend.provisioner.plan(killed).changes_nothing
        assert backend.picture(killed) == backend.picture(whole)
        _deprovision(backend, killed)
        assert backend.leftovers(killed) == []

    def test_killed_while_applying_it_can_be_taken_away_whole(self, backend: BackendUnderTest, kill_point: str) -> None:
        specification = backend.new_specification()
        backend.apply_killed_at(specification, kill_point)
        _deprovision(backend, specification)
        assert _status(backend, specification).phase is Phase.ABSENT
        assert backend.leftovers(specification) == []

    def test_a_tenants_status_is_not_told_under_another_tenants_name(self, backend: BackendUnderTest) -> None:
        owner = backend.new_specification()
        _apply(backend, owner)
        with pytest.raises(ProvisioningError):
            backend.provisioner.status(TenantId("someone-else"), owner.namespace)


def _apply(backend: BackendUnderTest, specification: InstanceSpecification) -> InstanceStatus:
    return backend.provisioner.apply(specification, timeout=backend.timeout)


def _deprovision(backend: BackendUnderTest, specification: InstanceSpecification) -> None:
    backend.provisioner.deprovision(specification.tenant, specification.namespace, timeout=backend.timeout)


def _status(backend: BackendUnderTest, specification: InstanceSpecification) -> InstanceStatus:
    return backend.provisioner.status(specification.tenant, specification.namespace)


def _shows_no_secret(refusal: pytest.ExceptionInfo[ProvisioningError], *specifications: InstanceSpecification) -> None:
    """Neither the message nor the errors that led to it, which a traceback would print."""
    error: BaseException | None = refusal.value
    while error is not None:
        for specification in specifications:
            assert specification.connection.value not in f"{error!r} {error}"
            assert specification.access_token.value not in f"{error!r} {error}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
