"""All objects of an instance, in the order in which they are applied."""

from __future__ import annotations

from tenant_pipeline.provisioning.kubernetes.objects.account import role, role_binding, service_account
from tenant_pipeline.provisioning.kubernetes.objects.deployment import deployment
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject
from tenant_pipeline.provisioning.kubernetes.objects.limits import limit_range, resource_quota
from tenant_pipeline.provisioning.kubernetes.objects.namespace import namespace
from tenant_pipeline.provisioning.kubernetes.objects.network import network_policies
from tenant_pipeline.provisioning.kubernetes.objects.secret import secret
from tenant_pipeline.provisioning.kubernetes.objects.service import disruption_budget, service
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.provisioning.provisioner import InstanceSpecification


def objects(
    identity: Identity,
    specification: InstanceSpecification,
    settings: KubernetesSettings,
    *,
    disruption_budget_api: str = "policy/v1",
) -> list[KubernetesObject]:
    """The namespace first, then what confines the pods, then the pods, and last what leads to them."""
    return [
        namespace(identity),
        resource_quota(identity, settings.replicas),
        limit_range(identity, specification),
        *network_policies(identity, settings),
        service_account(identity),
        role(identity),
        role_binding(identity),
        secret(identity, specification),
        disruption_budget(identity, disruption_budget_api),
        deployment(identity, specification, settings),
        service(identity),
    ]
