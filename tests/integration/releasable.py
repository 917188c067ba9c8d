"""A tenant whose draft is fit to be published, the people who sign for it, and what its readers see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tenant_pipeline.core.coverage.override import FLOORS
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import Provisioner
from tenant_pipeline.services import registry, roles
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.coverage.overrides import give_override
from tenant_pipeline.services.going_live.instances import provision_approved, request_instance
from tenant_pipeline.services.going_live.releases import publish_approved, request_release
from tenant_pipeline.services.lifecycle import move_on
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import login_of
from tests.integration.conflict_statements import Sources, new_tenant
from tests.integration.penetration import isolation_tested

PEOPLE = {
    "kanya": "contributor",
    "anan": "tenant-admin",
    "gov": "platform-governance",
    "founder": "founder",
    "rin": "reviewer",
}


def releasable(runtime: Runtime) -> Sources:
    """Two sources of two halls, one with a Thai, an English and a Chinese name; covered on governance's word."""
    return make_releasable(new_tenant(runtime))


def make_releasable(made: Sources) -> Sources:
    """Fill a tenant that has nothing yet, and give it its people."""
    for person, role in PEOPLE.items():
        roles.grant_role(made.runtime, made.tenant, person=person, role=role, granted_by="test")
    made.say(
        1, ("name", "th", "หอประชุมภูเก็ต"), ("name", "en", "Phuket Hall"), ("name", "zh", "普吉會堂"),
        ("postalCode", "", "83000"), title="Register of halls",
    )  # fmt: skip
    made.say(2, ("name", "en", "Kata Pavilion"), entity="can-pavilion", compare=False, title="City list")
    settle(made)
    return made


def settle(made: Sources) -> None:
    """Let all that was said count, and every blocking dimension on governance's word."""
    made.keep_all()
    for each in made.runtime.contracts.coverage_dimensions:
        if not each.overridable:
            _score(made, each.id)
        else:
            give_override(
                made.runtime, made.tenant, each.id, floor=Band.PASS if Band.PASS in FLOORS else Band.WARN,
                reason="A pilot", approver="gov", role="platform-governance", requested_by="kanya",
                expires_at=datetime.now(UTC) + timedelta(days=30),
            )  # fmt: skip


def _score(made: Sources, dimension: str) -> None:
    """What no word of governance stands for: each source has passed, as a walk through the stages would have it."""
    with made.runtime.database.tenant(made.tenant) as connection:
        connection.execute(
            """
            INSERT INTO runtime.coverage_scores
                   (tenant_id, source_id, dimension, numerator, denominator, score, band, explanation, input_digest)
            SELECT tenant_id, id, %s, 1, 1, 1, 'pass', 'all of it', unit_digest
              FROM runtime.tenant_sources WHERE tenant_id = %s
            ON CONFLICT DO NOTHING
            """,
            (dimension, made.tenant),
        )


def approve_everything(runtime: Runtime, tenant: TenantId, *, but: str = "") -> None:
    """Have everybody sign what waits for them, but one."""
    for person, role in PEOPLE.items():
        if person == but:
            continue
        for request in list_requests(runtime, tenant, person=person):
            decide(
                runtime, tenant, request.request.id, digest=request.request.subject_digest, approves=True,
                person=person, role=role, reason="Seen",
            )  # fmt: skip


def publish_draft(runtime: Runtime, tenant: TenantId) -> str:
    """Ask for the draft's release, have everybody sign, and publish it; returns its version."""
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)
    return str(publish_approved(runtime, tenant, run_by="run")["version"])


def served(runtime: Runtime, tenant: TenantId) -> dict[str, Any]:
    """What a reader with the tenant's own login sees in the serving views."""
    schema = login_of(tenant)
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(f"SELECT canonical_id, document FROM {schema}.live_documents").fetchall()
    return {row["canonical_id"]: row["document"] for row in rows}


def went_live(runtime: Runtime, tenant: TenantId) -> None:
    """Take a tenant in review to live, on the word of the approvals that its instance would have had."""
    isolation_tested(runtime)
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET founder_signoff_ref = 'a' WHERE id = %s", (tenant,))
        for state in (TenantState.PILOT, TenantState.LIVE):
            move_on(runtime, connection, tenant, state, approvals=["a"], person="run", reason="x")


def go_live(made: Sources) -> None:
    """Publish the draft, and take the tenant the rest of the way without an instance."""
    publish_draft(made.runtime, made.tenant)
    went_live(made.runtime, made.tenant)


def brought_up(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> dict[str, Any]:
    """Ask for the instance, have everybody sign, and bring it up: the tenant goes live, or is told why not."""
    isolation_tested(runtime)
    registry.update_tenant(runtime, tenant, person="anan", pdpa_agreement_ref="DPA-1")
    request_instance(runtime, tenant, requested_by="kanya", backend=backend)
    approve_everything(runtime, tenant)
    return provision_approved(runtime, tenant, run_by="run", backend=backend)
