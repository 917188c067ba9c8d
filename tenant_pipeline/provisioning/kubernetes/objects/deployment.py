"""The pods: not root, no capability, no way to write but a small temporary folder, no token of the cluster."""

from __future__ import annotations

from tenant_pipeline.provisioning.kubernetes import naming, ownership
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject
from tenant_pipeline.provisioning.kubernetes.objects.limits import limits, requests
from tenant_pipeline.provisioning.kubernetes.objects.secret import CONNECTION, TOKEN, checksum
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.provisioning.provisioner import InstanceSpecification

SPECIFICATION_DIGEST = "tenant-runtime/specification-digest"
TEMPLATE_VERSION = "tenant-runtime/template-version"
SECRET_CHECKSUM = "tenant-runtime/secret-checksum"

_USER = 65532
"""Neither root nor any user of the image: the number that images without a shell use for `nonroot`."""

_SECRETS = "/run/secrets/nerve"


def deployment(
    identity: Identity, specification: InstanceSpecification, settings: KubernetesSettings
) -> KubernetesObject:
    """The instance's pods, replaced one by one, and only by such as are ready."""
    labels = ownership.labels(identity.tenant)
    body = identity.new("apps/v1", "Deployment", naming.INSTANCE)
    body["metadata"]["annotations"] |= {
        SPECIFICATION_DIGEST: specification.digest(),
        TEMPLATE_VERSION: specification.template_version,
    }
    body["spec"] = {
        "replicas": settings.replicas,
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": 120,
        "selector": {"matchLabels": labels},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": {ownership.OWNER: identity.owner, SECRET_CHECKSUM: checksum(specification)},
            },
            "spec": _pod(specification, settings, labels),
        },
    }
    return body


def _pod(
    specification: InstanceSpecification, settings: KubernetesSettings, labels: dict[str, str]
) -> KubernetesObject:
    return {
        "automountServiceAccountToken": False,
        "containers": [_container(specification, settings)],
        "enableServiceLinks": False,
        "securityContext": {
            "fsGroup": _USER,
            "runAsGroup": _USER,
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "serviceAccountName": naming.INSTANCE,
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": [
            {
                "labelSelector": {"matchLabels": labels},
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
            }
        ],
        "volumes": [
            {"name": "secrets", "secret": {"secretName": naming.INSTANCE, "defaultMode": 0o440}},
            {"name": "temporary", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }


def _container(specification: InstanceSpecification, settings: KubernetesSettings) -> KubernetesObject:
    environment = {
        "HOME": "/tmp",
        "NERVE_CODE_VERSION": _code_version(settings.image),
        "NERVE_DSN_FILE": f"{_SECRETS}/{CONNECTION}",
        "NERVE_HOST": "0.0.0.0",
        "NERVE_PORT": str(naming.PORT),
        "NERVE_PORT_FILE": "/tmp/nerve.port",
        "NERVE_SCHEMA": specification.database_schema,
        "NERVE_TENANT": specification.tenant,
        "NERVE_TOKEN_FILE": f"{_SECRETS}/{TOKEN}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {
        "name": naming.INSTANCE,
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["python", "-m", "tenant_pipeline.nerve"],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"containerPort": naming.PORT, "name": "http", "protocol": "TCP"}],
        "resources": {"limits": limits(specification), "requests": requests(specification)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
        },
        "startupProbe": _probe("/health/live", period=1, failures=60),
        "livenessProbe": _probe("/health/live", period=10, failures=3),
        "readinessProbe": _probe("/health/ready", period=5, failures=2),
        "volumeMounts": [
            {"mountPath": _SECRETS, "name": "secrets", "readOnly": True},
            {"mountPath": "/tmp", "name": "temporary"},
        ],
    }


def _code_version(image: str) -> str:
    """The image's digest, or its tag where it is named by that."""
    name, _, digest = image.partition("@")
    return digest or name.rpartition("/")[2].partition(":")[2] or "latest"


def _probe(path: str, *, period: int, failures: int) -> KubernetesObject:
    return {
        "failureThreshold": failures,
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": 2,
    }
