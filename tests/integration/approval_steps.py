"""A tenant with people in all roles, what they are asked to approve, and a clock that the test sets."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.records import RecordedRequest
from tenant_pipeline.services.approvals.requesting import request_operation
from tenant_pipeline.services.approvals.verification import use_approvals
from tenant_pipeline.services.lifecycle import move_on
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import TwoTenants
from tests.integration.feed_steps import registered_tenant
from tests.registered import registered

REVIEW, GO_LIVE = "gate-review", "gate-go-live"
CONTENT = {"release": "b" * 64, "version": "1.0.0"}
PEOPLE = {
    "ann": ("tenant-admin",),
    "adam": ("tenant-admin",),
    "bo": ("platform-governance",),
    "cy": ("founder",),
    "di": ("reviewer",),
    "jack": ("tenant-admin", "platform-governance"),
}


class Clock(Runtime):
    """The same installation at another time."""

    @classmethod
    def at(cls, runtime: Runtime, later: timedelta) -> Runtime:
        moved = cls(**vars(runtime))
        object.__setattr__(moved, "_later", later)
        return moved

    def now(self) -> datetime:
        later: timedelta = self.__dict__["_later"]
        return datetime.now(UTC) + later


@pytest.fixture
def tenant(tenants: TwoTenants) -> TenantId:
    made = registered(tenants.runtime, f"approvals-{uuid.uuid4().hex[:10]}")
    for person, held in PEOPLE.items():
        for role in held:
            roles.grant_role(tenants.runtime, made, person=person, role=role, granted_by="test")
    with tenants.runtime.database.platform() as connection:
        move_on(
            tenants.runtime, connection, made, TenantState.REVIEW, approvals=["a"], person="run", reason="published"
        )
    return made


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


def ask(
    runtime: Runtime, tenant: TenantId, operation: Operation = Operation.INSTANCE, **content: str
) -> RecordedRequest:
    given = {**CONTENT, **content}
    return request_operation(runtime, tenant, operation, given, requested_by="kanya", reason="Ready")[0]


def say(runtime: Runtime, request: RecordedRequest, person: str, role: str, **more: Any) -> RecordedRequest:
    return decide(
        runtime,
        request.tenant,
        request.request.id,
        **{
            "digest": request.request.subject_digest, "approves": True, "person": person, "role": role, "reason": "",
            **more,
        },
    )  # fmt: skip


def approve_all(runtime: Runtime, request: RecordedRequest) -> RecordedRequest:
    for person, role in (("ann", "tenant-admin"), ("bo", "platform-governance"), ("cy", "founder")):
        request = say(runtime, request, person, role)
    return request


def use(runtime: Runtime, tenant: TenantId, operation: Operation = Operation.INSTANCE, **content: str) -> list[str]:
    with runtime.database.platform() as connection:
        return use_approvals(runtime, connection, tenant, operation, {**CONTENT, **content}, used_by="run-1")


def staffed_tenant(runtime: Runtime) -> TenantId:
    """A tenant with a reviewer, an admin, and two for governance."""
    made = registered_tenant(runtime)
    for person, role in (("ann", "tenant-admin"), ("bo", "platform-governance"), ("cy", "platform-governance")):
        roles.grant_role(runtime, made, person=person, role=role, granted_by="test")
    return made


def ask_for_overdue_release(runtime: Runtime, tenant: TenantId) -> dict[str, RecordedRequest]:
    """A release, asked for ten days ago: what it waits for is overdue."""
    then = Clock.at(runtime, timedelta(days=-10))
    asked = request_operation(then, tenant, Operation.RELEASE, CONTENT, requested_by="kanya", reason="Ready")
    return {str(each.request.gate): each for each in asked}
