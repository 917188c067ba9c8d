"""Who may talk to whom: no one, but for DNS, the gateway and the database.

Kept by the cluster's network plug-in: one that knows no NetworkPolicy opens everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from tenant_pipeline.provisioning.kubernetes import naming
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings


def network_policies(identity: Identity, settings: KubernetesSettings) -> list[KubernetesObject]:
    """The four policies of a namespace; the first closes it, each of the others opens one way."""
    # The empty lists are said although they are the default: so they are ours, and a rule added by another is drift.
    closed: KubernetesObject = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []}
    dns = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    database = {"ipBlock": {"cidr": settings.database_cidr}}
    return [
        _policy(identity, naming.DENY_ALL, closed),
        _policy(identity, naming.ALLOW_DNS, _egress(_namespaces(settings.dns_namespace_labels), dns)),
        _policy(
            identity,
            naming.ALLOW_GATEWAY,
            {
                "podSelector": {},
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [_namespaces(settings.gateway_namespace_labels)],
                        "ports": [{"port": naming.PORT, "protocol": "TCP"}],
                    }
                ],
            },
        ),
        _policy(
            identity,
            naming.ALLOW_DATABASE,
            _egress(database, [{"port": settings.database_port, "protocol": "TCP"}]),
        ),
    ]


def _policy(identity: Identity, name: str, spec: KubernetesObject) -> KubernetesObject:
    return identity.new("networking.k8s.io/v1", "NetworkPolicy", name) | {"spec": spec}


def _namespaces(labels: Mapping[str, str]) -> KubernetesObject:
    return {"namespaceSelector": {"matchLabels": dict(sorted(labels.items()))}}


def _egress(peer: KubernetesObject, ports: list[KubernetesObject]) -> KubernetesObject:
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [peer], "ports": ports}]}
