"""What every backend promises: to show what it would do, do it, say how it stands, and take it all away again.

Each of them can be called again at any time, after a crash too: `apply` goes on where it was killed and changes
nothing that stands as it should; `deprovision` of what is not there is no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId


@dataclass(frozen=True)
class Secret:
    """A text that no message, log or representation ever shows."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class InstanceSpecification:
    """The instance that a tenant is to have. Namespace and names never change once they are given.

    `connection` is the DSN of the instance's own login, which reads the tenant's schema and nothing else;
    `access_token` is what its callers show. Neither is part of the digest that is approved: both may be rotated.
    """

    tenant: TenantId
    namespace: str
    database_schema: str
    template_version: str
    connection: Secret
    access_token: Secret
    memory_mebibytes: int = 256
    cpu_millicores: int = 500
    flags: Mapping[str, str] = field(default_factory=dict)

    def digest(self) -> Sha256:
        """The digest of all that is not secret."""
        return sha256_of_json(self.as_json())

    def as_json(self) -> dict[str, object]:
        """All that is not secret."""
        return {
            "tenant": self.tenant,
            "namespace": self.namespace,
            "database_schema": self.database_schema,
            "template_version": self.template_version,
            "memory_mebibytes": self.memory_mebibytes,
            "cpu_millicores": self.cpu_millicores,
            "flags": dict(sorted(self.flags.items())),
        }


class Action(StrEnum):
    """What a plan would do with one object."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    KEEP = "keep"


@dataclass(frozen=True)
class PlannedChange:
    """One object of a plan: what becomes of it, and by which fields it differs from what stands now (drift)."""

    kind: str
    name: str
    action: Action
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What `apply` would do now. Rendering one changes nothing."""

    tenant: TenantId
    changes: tuple[PlannedChange, ...]

    @property
    def changes_nothing(self) -> bool:
        return all(change.action is Action.KEEP for change in self.changes)


class Phase(StrEnum):
    """How an instance stands."""

    ABSENT = "absent"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    TERMINATING = "terminating"


@dataclass(frozen=True)
class InstanceStatus:
    """How an instance stands, where it answers (a URL, where one can be reached from here), and why it is as it is."""

    tenant: TenantId
    phase: Phase
    endpoint: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What a backend keeps apart, told plainly: what is False here, an operator must keep apart by other means."""

    isolates_network: bool
    isolates_files: bool
    limits_memory: bool
    limits_cpu: bool
    survives_this_machine: bool


class StillStartingError(ProvisioningError):
    """All that was specified is there and was not healthy in time: the backend goes on with it by itself."""


class Provisioner(Protocol):
    """One way to run instances. Errors are ProvisioningError, with the place and the remedy, never a secret."""

    name: str
    capabilities: Capabilities
    apply_seconds: float
    """How long `apply` may take of an instance that nothing is wrong with."""

    def plan(self, specification: InstanceSpecification) -> Plan:
        """What `apply` would change. Raises ProvisioningError where something there is not ours to change."""
        ...

    def apply(self, specification: InstanceSpecification, *, timeout: float) -> InstanceStatus:
        """Bring the instance to what is specified and wait, at most `timeout` seconds, until it is healthy.

        Raises StillStartingError where it is all there and not healthy in time, and ProvisioningError where it cannot
        become so, or where something there is not ours.
        """
        ...

    def status(self, tenant: TenantId, namespace: str) -> InstanceStatus:
        """How the tenant's instance stands."""
        ...

    def standing(self) -> Mapping[str, bool]:
        """Every namespace in which something of an instance is, and whether all of it is: one look, for any number.

        What is being taken away, or was never applied to its end, is not all there. How one fares, `status` tells.
        """
        ...

    def deprovision(self, tenant: TenantId, namespace: str, *, timeout: float) -> None:
        """Take away all that `apply` made, and wait until it is gone. Raises ProvisioningError where it is not ours."""
        ...
