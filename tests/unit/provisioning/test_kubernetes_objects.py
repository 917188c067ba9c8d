"""The objects of an instance: exactly this, and valid by Kubernetes' own schemas, strictly."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import ipaddress
import json
from typing import Any

import kubernetes_validate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kubernetes_validate.utils import all_versions

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.provisioning.kubernetes.objects.identity import KubernetesObject
from tenant_pipeline.provisioning.kubernetes.objects.instance import objects
from tenant_pipeline.provisioning.provisioner import Secret
from tests.unit.provisioning.specified_instance import IDENTITY, OWNER, SETTINGS, SPECIFICATION

OLDEST, NEWEST = "1.25", "1.37"
"""The oldest and the newest version whose schemas kubernetes-validate has."""

CHECKSUM = hashlib.sha256(b'["host=db.example user=nerve_phuket_mice password=p4ss","t0ken"]').hexdigest()

LABELS = {
    "app.kubernetes.io/name": "nerve",
    "app.kubernetes.io/managed-by": "tenant-runtime",
    "tenant-runtime/tenant": "phuket-mice",
}


def _rendered() -> dict[str, KubernetesObject]:
    return {f"{body['kind']}/{body['metadata']['name']}": body for body in objects(IDENTITY, SPECIFICATION, SETTINGS)}


def _metadata(name: str, **annotations: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "tenant-phuket-mice",
        "labels": LABELS,
        "annotations": {"tenant-runtime/owner": OWNER} | annotations,
    }


def test_the_objects_are_applied_in_an_order_in_which_pods_are_confined_before_they_start() -> None:
    assert list(_rendered()) == [
        "Namespace/tenant-phuket-mice",
        "ResourceQuota/nerve",
        "LimitRange/nerve",
        "NetworkPolicy/deny-all",
        "NetworkPolicy/allow-dns",
        "NetworkPolicy/allow-gateway",
        "NetworkPolicy/allow-database",
        "ServiceAccount/nerve",
        "Role/nerve",
        "RoleBinding/nerve",
        "Secret/nerve",
        "PodDisruptionBudget/nerve",
        "Deployment/nerve",
        "Service/nerve",
    ]


def test_the_namespace_admits_restricted_pods_only() -> None:
    assert _rendered()["Namespace/tenant-phuket-mice"] == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "tenant-phuket-mice",
            "labels": LABELS
            | {
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": "latest",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/audit-version": "latest",
                "pod-security.kubernetes.io/warn": "restricted",
                "pod-security.kubernetes.io/warn-version": "latest",
            },
            "annotations": {"tenant-runtime/owner": OWNER},
        },
    }


def test_the_owner_of_an_instance_is_always_the_same_uid() -> None:
    assert OWNER == "af0f36ab-05fd-507f-9903-6e9699e625e9"


def test_quota_and_limits_leave_room_for_the_replicas_and_one_more_pod_of_their_size() -> None:
    rendered = _rendered()
    assert rendered["ResourceQuota/nerve"] == {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": _metadata("nerve"),
        "spec": {
            "hard": {
                "persistentvolumeclaims": "0",
                "pods": "3",
                "services": "1",
                "services.loadbalancers": "0",
                "services.nodeports": "0",
            }
        },
    }
    assert rendered["LimitRange/nerve"] == {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": _metadata("nerve"),
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "default": {"cpu": "500m", "ephemeral-storage": "128Mi", "memory": "256Mi"},
                    "defaultRequest": {"cpu": "125m", "ephemeral-storage": "128Mi", "memory": "256Mi"},
                    "max": {"cpu": "500m", "ephemeral-storage": "128Mi", "memory": "256Mi"},
                },
                {"type": "Pod", "max": {"cpu": "500m", "ephemeral-storage": "128Mi", "memory": "256Mi"}},
            ]
        },
    }


def test_the_network_is_closed_but_for_dns_gateway_and_database() -> None:
    rendered = _rendered()
    policies = {name: body for name, body in rendered.items() if body["kind"] == "NetworkPolicy"}
    assert {body["apiVersion"] for body in policies.values()} == {"networking.k8s.io/v1"}
    assert all(body["metadata"] == _metadata(body["metadata"]["name"]) for body in policies.values())
    assert {name.partition("/")[2]: body["spec"] for name, body in policies.items()} == {
        "deny-all": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []},
        "allow-dns": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
                    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
                }
            ],
        },
        "allow-gateway": {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"namespaceSelector": {"matchLabels": {"tenant-runtime/gateway": "true"}}}],
                    "ports": [{"port": 8080, "protocol": "TCP"}],
                }
            ],
        },
        "allow-database": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.9.0.0/24"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}],
        },
    }


def test_the_account_may_do_nothing_and_carries_no_token() -> None:
    rendered = _rendered()
    assert rendered["ServiceAccount/nerve"] == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata("nerve"),
        "automountServiceAccountToken": False,
    }
    assert rendered["Role/nerve"] == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": _metadata("nerve"),
        "rules": [],
    }
    assert rendered["RoleBinding/nerve"] == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": _metadata("nerve"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "nerve"},
        "subjects": [{"kind": "ServiceAccount", "name": "nerve", "namespace": "tenant-phuket-mice"}],
    }


def test_the_secret_holds_the_connection_and_the_token_and_nothing_else_does() -> None:
    rendered = _rendered()
    assert rendered["Secret/nerve"] == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata("nerve"),
        "type": "Opaque",
        "data": {
            "dsn": base64.b64encode(b"host=db.example user=nerve_phuket_mice password=p4ss").decode(),
            "token": base64.b64encode(b"t0ken").decode(),
        },
    }
    others = json.dumps([body for body in rendered.values() if body["kind"] != "Secret"])
    assert "p4ss" not in others
    assert "t0ken" not in others


def test_the_pods_are_hardened() -> None:
    deployment = _rendered()["Deployment/nerve"]
    assert deployment == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(
            "nerve",
            **{
                "tenant-runtime/specification-digest": SPECIFICATION.digest(),
                "tenant-runtime/template-version": "1.2.0",
            },
        ),
        "spec": {
            "replicas": 2,
            "revisionHistoryLimit": 2,
            "progressDeadlineSeconds": 120,
            "selector": {"matchLabels": LABELS},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {
                    "labels": LABELS,
                    "annotations": {
                        "tenant-runtime/owner": OWNER,
                        "tenant-runtime/secret-checksum": CHECKSUM,
                    },
                },
                "spec": {
                    "automountServiceAccountToken": False,
                    "containers": [
                        {
                            "name": "nerve",
                            "image": "registry.example/nerve@sha256:" + "0" * 64,
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["python", "-m", "tenant_pipeline.nerve"],
                            "env": [
                                {"name": "HOME", "value": "/tmp"},
                                {"name": "NERVE_CODE_VERSION", "value": "sha256:" + "0" * 64},
                                {"name": "NERVE_DSN_FILE", "value": "/run/secrets/nerve/dsn"},
                                {"name": "NERVE_HOST", "value": "0.0.0.0"},
                                {"name": "NERVE_PORT", "value": "8080"},
                                {"name": "NERVE_PORT_FILE", "value": "/tmp/nerve.port"},
                                {"name": "NERVE_SCHEMA", "value": "tenant_phuket_mice"},
                                {"name": "NERVE_TENANT", "value": "phuket-mice"},
                                {"name": "NERVE_TOKEN_FILE", "value": "/run/secrets/nerve/token"},
                                {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
                            ],
                            "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
                            "resources": {
                                "limits": {"cpu": "500m", "ephemeral-storage": "128Mi", "memory": "256Mi"},
                                "requests": {"cpu": "125m", "ephemeral-storage": "128Mi", "memory": "256Mi"},
                            },
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"]},
                                "privileged": False,
                                "readOnlyRootFilesystem": True,
                            },
                            "startupProbe": {
                                "failureThreshold": 60,
                                "httpGet": {"path": "/health/live", "port": "http"},
                                "periodSeconds": 1,
                                "timeoutSeconds": 2,
                            },
                            "livenessProbe": {
                                "failureThreshold": 3,
                                "httpGet": {"path": "/health/live", "port": "http"},
                                "periodSeconds": 10,
                                "timeoutSeconds": 2,
                            },
                            "readinessProbe": {
                                "failureThreshold": 2,
                                "httpGet": {"path": "/health/ready", "port": "http"},
                                "periodSeconds": 5,
                                "timeoutSeconds": 2,
                            },
                            "volumeMounts": [
                                {"mountPath": "/run/secrets/nerve", "name": "secrets", "readOnly": True},
                                {"mountPath": "/tmp", "name": "temporary"},
                            ],
                        }
                    ],
                    "enableServiceLinks": False,
                    "securityContext": {
                        "fsGroup": 65532,
                        "runAsGroup": 65532,
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "serviceAccountName": "nerve",
                    "terminationGracePeriodSeconds": 30,
                    "topologySpreadConstraints": [
                        {
                            "labelSelector": {"matchLabels": LABELS},
                            "maxSkew": 1,
                            "topologyKey": "kubernetes.io/hostname",
                            "whenUnsatisfiable": "ScheduleAnyway",
                        }
                    ],
                    "volumes": [
                        {"name": "secrets", "secret": {"secretName": "nerve", "defaultMode": 288}},
                        {"name": "temporary", "emptyDir": {"sizeLimit": "64Mi"}},
                    ],
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.example:5000/nerve:0.2.0", "0.2.0"),
        ("registry.example/nerve:0.2.0@sha256:" + "1" * 64, "sha256:" + "1" * 64),
        ("registry.example:5000/nerve", "latest"),
    ],
)
def test_an_instance_says_which_code_it_runs_by_its_image(image: str, version: str) -> None:
    chosen = dataclasses.replace(SETTINGS, image=image)
    (body,) = (each for each in objects(IDENTITY, SPECIFICATION, chosen) if each["kind"] == "Deployment")
    (container,) = body["spec"]["template"]["spec"]["containers"]
    assert {"name": "NERVE_CODE_VERSION", "value": version} in container["env"]


def test_the_service_is_within_the_cluster_and_one_pod_at_most_is_taken_away_at_a_time() -> None:
    rendered = _rendered()
    assert rendered["Service/nerve"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata("nerve"),
        "spec": {
            "type": "ClusterIP",
            "selector": LABELS,
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP", "targetPort": "http"}],
        },
    }
    assert rendered["PodDisruptionBudget/nerve"] == {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata("nerve"),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
    }


def test_an_older_server_gets_the_disruption_budget_that_it_knows() -> None:
    rendered = objects(IDENTITY, SPECIFICATION, SETTINGS, disruption_budget_api="policy/v1beta1")
    assert [body["apiVersion"] for body in rendered if body["kind"] == "PodDisruptionBudget"] == ["policy/v1beta1"]


@pytest.mark.parametrize("rotated", ["connection", "access_token"])
def test_a_rotated_secret_changes_the_pods_template_and_nothing_but_secret_and_template(rotated: str) -> None:
    secret = Secret("another")
    changed = dataclasses.replace(
        SPECIFICATION,
        connection=secret if rotated == "connection" else SPECIFICATION.connection,
        access_token=secret if rotated == "access_token" else SPECIFICATION.access_token,
    )
    before = {body["kind"]: body for body in objects(IDENTITY, SPECIFICATION, SETTINGS)}
    after = {body["kind"]: body for body in objects(IDENTITY, changed, SETTINGS)}
    assert {kind for kind in before if before[kind] != after[kind]} == {"Secret", "Deployment"}
    for deployment in (before["Deployment"], after["Deployment"]):
        deployment["spec"]["template"]["metadata"]["annotations"].pop("tenant-runtime/secret-checksum")
    assert before["Deployment"] == after["Deployment"]


def test_the_schemas_are_the_oldest_and_the_newest_there_are() -> None:
    versions = [version.rpartition(".")[0] for version in all_versions()]
    assert (versions[0], versions[-1]) == (OLDEST, NEWEST)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_is_valid_by_kubernetes_own_schema(version: str) -> None:
    for body in objects(IDENTITY, SPECIFICATION, SETTINGS):
        assert kubernetes_validate.validate(body, version, strict=True) == version


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_schema_refuses_a_field_that_kubernetes_does_not_know(version: str) -> None:
    deployment = _rendered()["Deployment/nerve"]
    deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]["readOnlyRoot"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, version, strict=True)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("installation", " "),
        ("image", ""),
        ("image", "two words"),
        ("database_cidr", "10.0.0.1/24"),
        ("database_cidr", "db.example"),
        ("database_cidr", "0.0.0.0/0"),
        ("database_cidr", "::/0"),
        ("database_port", 0),
        ("database_port", 65536),
        ("replicas", 0),
        ("gateway_namespace_labels", {}),
        ("dns_namespace_labels", {}),
    ],
)
def test_a_setting_that_would_open_too_much_or_cannot_work_is_refused(setting: str, value: object) -> None:
    with pytest.raises(SettingsError) as refusal:
        dataclasses.replace(SETTINGS, **{setting: value})  # type: ignore[arg-type]
    assert refusal.value.where == setting
    assert refusal.value.remedy


@settings(max_examples=25)  # each reads the schemas again
@given(
    memory=st.integers(16, 65536),
    processor=st.integers(1, 64000),
    replicas=st.integers(1, 50),
    network=st.ip_addresses().map(lambda address: str(ipaddress.ip_network(address))),
    port=st.integers(1, 65535),
)
def test_whatever_is_asked_for_the_objects_are_valid(
    memory: int, processor: int, replicas: int, network: str, port: int
) -> None:
    specification = dataclasses.replace(SPECIFICATION, memory_mebibytes=memory, cpu_millicores=processor)
    chosen = dataclasses.replace(SETTINGS, replicas=replicas, database_cidr=network, database_port=port)
    for body in objects(IDENTITY, specification, chosen):
        if body["kind"] in {"ResourceQuota", "LimitRange", "Deployment", "NetworkPolicy"}:
            kubernetes_validate.validate(body, NEWEST, strict=True)
