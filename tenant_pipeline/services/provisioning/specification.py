"""What a tenant's instance is to be, and the plan that people approve: bound to its digest, readable as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, PlannedChange, Provisioner, Secret
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime


class InstanceChangedError(ProvisioningError):
    """What would be brought up, or back, is not what was approved. It has to be asked for anew."""

    code = "instance-changed"


@dataclass(frozen=True)
class WantedInstance:
    """What is asked for, and of which backend: what `gate-tenant-instantiate` approves."""

    specification: InstanceSpecification
    backend: str

    def digest(self) -> Sha256:
        """The digest of the specification, the backend and the template's version."""
        return sha256_of_json(self.as_json())

    def require_approved(self, digest: str) -> None:
        """Return where this is the digest of what was approved. Raises InstanceChangedError."""
        if self.digest() != digest:
            raise InstanceChangedError(
                "The instance has changed since it was approved",
                where=self.specification.tenant,
                remedy="`tenant-pipeline instance request` asks for it as it is now.",
            )

    def as_json(self) -> dict[str, Any]:
        """What is approved, for people to read. No secret is part of it."""
        return {
            "specification": self.specification.as_json(),
            "specification_digest": self.specification.digest(),
            "backend": self.backend,
            "template_version": self.specification.template_version,
        }


@dataclass(frozen=True)
class ProvisioningPlan:
    """What is asked for, and what it would change now.

    Approved is what is asked for, not what it changes: that depends on how things stand at the time.
    """

    wanted: WantedInstance
    changes: tuple[PlannedChange, ...]

    def as_json(self) -> dict[str, Any]:
        """The plan for people to read. No secret is part of it."""
        return {
            "approves": self.wanted.as_json(),
            "changes": [
                {
                    "kind": change.kind,
                    "name": change.name,
                    "action": str(change.action),
                    "differences": list(change.differences),
                }
                for change in self.changes
            ],
        }


def specification_of(runtime: Runtime, tenant: TenantId) -> InstanceSpecification:
    """The instance as the registry has it, with the secrets of its login as they are now."""
    row = show_tenant(runtime, tenant)
    return InstanceSpecification(
        tenant=tenant,
        namespace=row["k8s_namespace"],
        database_schema=row["db_schema_name"],
        template_version=row["template_version"],
        connection=Secret(runtime.database.instance_conninfo(tenant)),
        access_token=Secret(runtime.database.instance_token(tenant)),
    )


def wanted_instance(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> WantedInstance:
    """The instance that is to be approved. The backend is not asked: it may be out of reach. Raises NotFoundError."""
    return WantedInstance(specification_of(runtime, tenant), backend.name)


def plan_provisioning(runtime: Runtime, tenant: TenantId, backend: Provisioner) -> ProvisioningPlan:
    """What provisioning the tenant would do now; nothing is changed.

    Raises NotFoundError for no such tenant, ProvisioningError where what stands there is not ours.
    """
    wanted = wanted_instance(runtime, tenant, backend)
    return ProvisioningPlan(wanted, backend.plan(wanted.specification).changes)
