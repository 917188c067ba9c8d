"""A tenant's way from its template to a later one: first what it would mean, then, for exactly that, the upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.template.change import TemplateChange, changes_between
from tenant_pipeline.core.template.template import Template
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import lock_approvals
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.releases.reading import Release, documents_of, live_release
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.templates.publishing import keep_shipped, template_of_version
from tenant_pipeline.storage.audit_log import AuditEntry

UPGRADING_ROLES = ("tenant-admin", *OVERRIDE_ROLES)
SHOWN = 20


@dataclass(frozen=True)
class UpgradePlan:
    """What an upgrade would mean for what the tenant's readers see now."""

    tenant: TenantId
    before: Template
    after: Template
    live: Release | None
    changes: tuple[TemplateChange, ...]
    left_out: dict[str, int]
    """Entities of types that the later template does not ask for, by type: they stay, and count for nothing."""
    lacking: tuple[dict[str, Any], ...]
    """Entities that lack what the later template requires: the first of them."""
    lacking_in_all: int

    def digest(self) -> Sha256:
        """Of all of it: what was looked at and nothing else is upgraded."""
        return sha256_of_json(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The plan for people to read."""
        return {
            "tenant": self.tenant,
            "from": str(self.before.version),
            "to": str(self.after.version),
            "live_release": self.live.digest if self.live else None,
            "changes": [each.as_json() for each in self.changes],
            "left_out": self.left_out,
            "lacking": list(self.lacking),
            "lacking_in_all": self.lacking_in_all,
        }


def plan_upgrade(runtime: Runtime, tenant: TenantId, to: str) -> UpgradePlan:
    """What upgrading to a version would mean; nothing is changed.

    Raises InputError for a version that is not later, saying why there is no way down; NotFoundError for none.
    """
    pinned = show_tenant(runtime, tenant)["template_version"]
    with runtime.database.platform() as connection:
        before = template_of_version(runtime, connection, pinned)
        after = template_of_version(runtime, connection, to)
        live = live_release(connection, tenant)
    if after.version <= before.version:
        raise InputError(
            f"The tenant is at {before.version}; there is no way down to {after.version}",
            where=f"{tenant}, template",
            remedy="What was released under the later template may not fit the earlier one. "
            "Go back to a release instead (`release rollback`), or publish the earlier content as a later version.",
        )
    left_out: dict[str, int] = {}
    lacking: list[dict[str, Any]] = []
    in_all = 0
    gone = set(before.types) - set(after.types)
    for document in documents_of(runtime, tenant, live) if live else ():
        if document["type"] in gone:
            left_out[document["type"]] = left_out.get(document["type"], 0) + 1
        missing = after.missing_in(document)
        if missing:
            in_all += 1
            if len(lacking) < SHOWN:
                lacking.append({"id": document["id"], "type": document["type"], "lacks": missing})
    return UpgradePlan(
        tenant, before, after, live, tuple(changes_between(before, after)), left_out, tuple(lacking), in_all
    )


def upgrade(runtime: Runtime, tenant: TenantId, to: str, *, plan: str, person: str, role: str) -> UpgradePlan:
    """Pin the tenant to a later template, for exactly the plan whose digest is given. Audited.

    Raises InputError where the plan is no longer that one, also because something else was published meanwhile, or
    entities lack what would be required, and NotAllowedError without the role; ContractError as `keep_shipped` does.
    """
    planned = plan_upgrade(runtime, tenant, to)
    if planned.digest() != plan:
        raise _another_plan(tenant)
    if planned.lacking_in_all:
        first = ", ".join(f"{each['id']} ({', '.join(each['lacks'])})" for each in planned.lacking[:3])
        raise InputError(
            f"{planned.lacking_in_all} entities lack what {to} requires: {first}",
            where=f"{tenant}, template",
            remedy="Have them completed and released first.",
        )
    with runtime.database.platform() as connection:
        connection.execute("SELECT app.lock('release of', %s)", (tenant,))
        lock_approvals(connection, tenant)
        require_role(connection, tenant, person, role, UPGRADING_ROLES)
        if live_release(connection, tenant) != planned.live:
            raise _another_plan(tenant)
        if str(planned.after.version) == runtime.contracts.template_version:
            keep_shipped(runtime, connection)
        moved = connection.execute(
            "UPDATE runtime.tenants SET template_version = %s WHERE id = %s AND template_version = %s",
            (str(planned.after.version), tenant, str(planned.before.version)),
        )
        if moved.rowcount != 1:
            raise InputError("Somebody else has upgraded the tenant in the meantime", where=f"{tenant}, template")
        details = {"from": str(planned.before.version), "to": str(planned.after.version), "plan": plan, "role": role}
        entry = AuditEntry(actor=person, action="template.upgrade", subject=tenant, details=details)
        runtime.audit.append(connection, tenant, [entry])
    return planned


def _another_plan(tenant: TenantId) -> InputError:
    return InputError(
        "The plan is no longer the one that was looked at",
        where=f"{tenant}, --plan",
        remedy="Look at it again: `tenant-pipeline template plan`.",
    )
