"""Instances in a Kubernetes cluster.

Nothing is kept here between calls: what stands is read from the cluster, what should stand is rendered anew. That is
why each of them can be called again after any crash.
"""

from __future__ import annotations

from functools import cached_property

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes import naming
from tenant_pipeline.provisioning.kubernetes.client.apply import Cluster
from tenant_pipeline.provisioning.kubernetes.client.connection import ApiConnection, ApiError, open_connection
from tenant_pipeline.provisioning.kubernetes.client.deadline import Deadline
from tenant_pipeline.provisioning.kubernetes.client.differences import differences
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject
from tenant_pipeline.provisioning.kubernetes.objects.instance import objects
from tenant_pipeline.provisioning.kubernetes.ownership import MANAGED_BY, OWNER, TENANT, check_owned, owner_uid, place
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.provisioning.kubernetes.status import instance_status
from tenant_pipeline.provisioning.provisioner import (
    Action,
    Capabilities,
    InstanceSpecification,
    InstanceStatus,
    Phase,
    Plan,
    PlannedChange,
    StillStartingError,
)

_LOOKING = 30.0
"""Seconds that `plan` and `status` may take."""


class KubernetesProvisioner:
    """The Provisioner of a cluster: a namespace per tenant, deleted whole when the instance is taken away."""

    name = "kubernetes"
    capabilities = Capabilities(
        isolates_network=True,
        isolates_files=True,
        limits_memory=True,
        limits_cpu=True,
        survives_this_machine=True,
    )
    apply_seconds = 300.0

    def __init__(self, settings: KubernetesSettings, connection: ApiConnection | None = None) -> None:
        self._settings = settings
        self._given = connection

    @cached_property
    def _connection(self) -> ApiConnection:
        """Opened when the cluster is first asked: what is wanted can be said, and approved, out of its reach."""
        return self._given or open_connection(self._settings.kubeconfig, self._settings.context)

    @cached_property
    def _cluster(self) -> Cluster:
        return Cluster(self._connection)

    def plan(self, specification: InstanceSpecification) -> Plan:
        """See Provisioner.plan. What exists is compared with the outcome of a dry run on the server itself."""
        deadline = Deadline(_LOOKING)
        identity = self._identity(specification.tenant, specification.namespace)
        namespace = self._own(identity, identity.new_namespace(), deadline)
        wanted = self._objects(identity, specification, deadline)
        if namespace is None or _terminating(namespace):
            changes = tuple(_change(body, Action.CREATE) for body in wanted)
        else:
            changes = tuple(self._planned(identity, body, deadline) for body in wanted)
        return Plan(specification.tenant, changes)

    def apply(self, specification: InstanceSpecification, *, timeout: float) -> InstanceStatus:
        """See Provisioner.apply. A namespace that is being deleted is waited out, and begun anew."""
        deadline = Deadline(timeout)
        identity = self._identity(specification.tenant, specification.namespace)
        wanted = self._objects(identity, specification, deadline)
        while True:
            namespace = self._claim(identity, deadline)
            try:
                for body in wanted:
                    self._cluster.apply(body, self._own(identity, body, deadline), deadline)
                    if body["kind"] == "ResourceQuota":
                        self._await_quota(body, deadline)
                status = self._await_healthy(identity, namespace, deadline)
            except ApiError:
                if self._stands(identity, namespace, deadline):
                    raise
                continue
            if status is not None:
                return status

    def status(self, tenant: TenantId, namespace: str) -> InstanceStatus:
        """See Provisioner.status. Raises ProvisioningError where the namespace is not this tenant's."""
        deadline = Deadline(_LOOKING)
        identity = self._identity(tenant, namespace)
        live = self._own(identity, identity.new_namespace(), deadline)
        if live is None:
            return InstanceStatus(tenant, Phase.ABSENT)
        if _terminating(live):
            return InstanceStatus(tenant, Phase.TERMINATING, detail=_what_remains(live))
        return self._status(identity, deadline)

    def standing(self) -> dict[str, bool]:
        """See Provisioner.standing. The service is applied last, so where it is, all is."""
        deadline = Deadline(_LOOKING)
        ours = f"{MANAGED_BY}={naming.FIELD_MANAGER},{TENANT}"
        namespaces = [each for each in self._cluster.every("v1", "Namespace", ours, deadline) if self._is_ours(each)]
        led_to = {
            service["metadata"]["namespace"]
            for service in self._cluster.every("v1", "Service", ours, deadline)
            if service["metadata"]["name"] == naming.INSTANCE
        }
        return {
            each["metadata"]["name"]: each["metadata"]["name"] in led_to and not _terminating(each)
            for each in namespaces
        }

    def deprovision(self, tenant: TenantId, namespace: str, *, timeout: float) -> None:
        """See Provisioner.deprovision. Everything is in the namespace, so it is deleted and waited for."""
        deadline = Deadline(timeout)
        identity = self._identity(tenant, namespace)
        while (live := self._own(identity, identity.new_namespace(), deadline)) is not None:
            if not _terminating(live):
                self._cluster.delete(live, deadline)
            self._pause(identity, live, deadline)

    def _identity(self, tenant: TenantId, namespace: str) -> Identity:
        naming.check_namespace(namespace)
        return Identity(tenant, namespace, owner_uid(self._settings.installation, tenant, namespace))

    def _is_ours(self, namespace: KubernetesObject) -> bool:
        metadata = namespace["metadata"]
        owner = owner_uid(self._settings.installation, TenantId(metadata["labels"][TENANT]), metadata["name"])
        return bool((metadata.get("annotations") or {}).get(OWNER) == owner)

    def _objects(
        self, identity: Identity, specification: InstanceSpecification, deadline: Deadline
    ) -> list[KubernetesObject]:
        newer = self._cluster.offers("policy", "v1", deadline)
        return objects(
            identity,
            specification,
            self._settings,
            disruption_budget_api="policy/v1" if newer else "policy/v1beta1",
        )

    def _own(self, identity: Identity, body: KubernetesObject, deadline: Deadline) -> KubernetesObject | None:
        """The live object, which is ours, or None."""
        live = self._cluster.read(body, deadline)
        if live is not None:
            check_owned(live, identity.tenant, identity.owner)
        return live

    def _planned(self, identity: Identity, body: KubernetesObject, deadline: Deadline) -> PlannedChange:
        live = self._own(identity, body, deadline)
        if live is None:
            return _change(body, Action.CREATE)
        try:
            paths = differences(live, self._cluster.preview(body, live, deadline))
        except ApiError as refusal:
            if not self._cluster.must_be_replaced(refusal, body, deadline):
                raise
            return _change(body, Action.REPLACE, refusal.fields)
        return _change(body, Action.UPDATE if paths else Action.KEEP, paths)

    def _claim(self, identity: Identity, deadline: Deadline) -> KubernetesObject:
        """The namespace, which is ours and stays: made in one step with the marks that say whose it is."""
        wanted = identity.new_namespace()
        while True:
            live = self._own(identity, wanted, deadline)
            if live is None:
                self._cluster.create(wanted, deadline)
            elif _terminating(live):
                self._pause(identity, live, deadline)
            else:
                return live

    def _stands(self, identity: Identity, namespace: KubernetesObject, deadline: Deadline) -> bool:
        live = self._own(identity, namespace, deadline)
        return live is not None and live["metadata"]["uid"] == namespace["metadata"]["uid"] and not _terminating(live)

    def _await_quota(self, body: KubernetesObject, deadline: Deadline) -> None:
        """Until the quota's first count has been made, the server refuses what it counts."""
        while True:
            live = self._cluster.read(body, deadline) or {}
            if (live.get("status") or {}).get("hard") == (live.get("spec") or {}).get("hard"):
                return
            if not deadline.pause():
                raise ProvisioningError(
                    "The quota is not being counted",
                    where=place(body),
                    remedy="Check that the cluster's controller manager runs.",
                )

    def _await_healthy(
        self, identity: Identity, namespace: KubernetesObject, deadline: Deadline
    ) -> InstanceStatus | None:
        """The healthy status, or None if the namespace was deleted meanwhile."""
        while True:
            status = self._status(identity, deadline)
            if not self._stands(identity, namespace, deadline):
                return None
            if status.phase is Phase.HEALTHY:
                return status
            if not deadline.pause():
                raise StillStartingError(
                    f"The instance is not healthy in time: {status.detail}",
                    where=f"Deployment {identity.namespace}/{naming.INSTANCE}",
                    remedy="Remove the cause, then run this again: it goes on from here.",
                )

    def _status(self, identity: Identity, deadline: Deadline) -> InstanceStatus:
        live = self._own(identity, identity.new("apps/v1", "Deployment", naming.INSTANCE), deadline)
        if live is None:
            return InstanceStatus(
                identity.tenant, Phase.UNHEALTHY, detail="The namespace has no deployment: apply was not finished."
            )
        inside = f"http://{naming.INSTANCE}.{identity.namespace}.svc:{naming.PORT}" if self._connection.inside else None
        return instance_status(identity.tenant, live, self._cluster.pods(identity.namespace, deadline), inside)

    def _pause(self, identity: Identity, live: KubernetesObject, deadline: Deadline) -> None:
        if not deadline.pause():
            raise ProvisioningError(
                f"The namespace is not gone in time{_what_remains(live, before=': ')}",
                where=f"Namespace {identity.namespace}",
                remedy="See which finalizer holds its objects, then run this again.",
            )


def _change(body: KubernetesObject, action: Action, paths: tuple[str, ...] = ()) -> PlannedChange:
    return PlannedChange(body["kind"], body["metadata"]["name"], action, paths)


def _terminating(namespace: KubernetesObject) -> bool:
    return "deletionTimestamp" in namespace["metadata"]


def _what_remains(namespace: KubernetesObject, *, before: str = "") -> str:
    """What the namespace controller says still holds a namespace that is being deleted."""
    conditions = (namespace.get("status") or {}).get("conditions") or []
    told = [condition.get("message", "") for condition in conditions if condition["status"] == "True"]
    return before + "; ".join(told) if told else ""
