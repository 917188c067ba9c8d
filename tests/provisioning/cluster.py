"""A cluster as the tests see it: through a connection of their own, behind the provisioner's back."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from kubernetes.config import new_client_from_config

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
from tenant_pipeline.provisioning.kubernetes.client.apply import PLURALS
from tenant_pipeline.provisioning.kubernetes.client.connection import ApiConnection, ApiError, open_connection
from tenant_pipeline.provisioning.kubernetes.client.deadline import Deadline
from tenant_pipeline.provisioning.kubernetes.ownership import TENANT, owner_uid
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, Secret
from tests.provisioning.control_plane import HOW_TO_GET_ONE, KUBECONFIG, built_control_plane, running_control_plane
from tests.provisioning.kubelet_stand_in import KubeletStandIn

ROOT = Path(__file__).parents[2]

_OF_CHANCE = ("uid", "resourceVersion", "creationTimestamp", "generation", "selfLink", "managedFields")


@contextmanager
def cluster_under_test() -> Iterator[ClusterUnderTest]:
    """The cluster that is named, or a control plane of our own for as long as this block lasts; else skips the test."""
    named, programs = os.environ.get(KUBECONFIG), built_control_plane()
    with ExitStack() as stack:
        if named:
            kubeconfig = Path(named)
        elif programs:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="control-plane-"))
            kubeconfig = stack.enter_context(running_control_plane(programs, Path(folder)))
        else:
            pytest.skip(HOW_TO_GET_ONE)
        under_test = ClusterUnderTest(kubeconfig)
        under_test.kubelet.start()
        yield under_test
        under_test.kubelet.stop()
        under_test.clean_up()


class ClusterUnderTest:
    """The BackendUnderTest of the contract, on a real API server."""

    timeout = 60.0

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.api = open_connection(kubeconfig, None)
        self.settings = KubernetesSettings(
            installation="contract", image="registry.example/nerve:1", database_cidr="10.9.0.0/24"
        )
        self.provisioner = KubernetesProvisioner(self.settings, open_connection(kubeconfig, None))
        self.kubelet = KubeletStandIn(open_connection(kubeconfig, None))
        self._namespaces: list[str] = []
        self._listable: list[tuple[str, str, bool]] = []

    def connection_of(self, token: str) -> ApiConnection:
        """A connection to the same cluster as the account that the token is of."""
        client = new_client_from_config(str(self.kubeconfig), persist_config=False)
        client.configuration.api_key = {"authorization": f"Bearer {token}"}
        client.configuration.refresh_api_key_hook = None
        return ApiConnection(client)

    def call(self, method: str, path: str, body: object = None, *, merge: bool = False) -> dict[str, Any]:
        """One request as the cluster's administrator."""
        kind = "application/merge-patch+json" if merge else "application/json"
        return self.api.request(method, path, place="test", deadline=Deadline(30), body=body, content_type=kind)

    def objects(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.call("GET", path)["items"]
        return items

    def pods(self, specification: InstanceSpecification) -> list[dict[str, Any]]:
        return self.objects(f"/api/v1/namespaces/{specification.namespace}/pods")

    def new_specification(self) -> InstanceSpecification:
        tenant = f"contract-{secrets.token_hex(4)}"
        self._namespaces.append(f"tenant-{tenant}")
        return InstanceSpecification(
            tenant=TenantId(tenant),
            namespace=f"tenant-{tenant}",
            database_schema=f"tenant_{tenant}".replace("-", "_"),
            template_version="1.0.0",
            connection=Secret(f"host=db.example password={secrets.token_hex(16)}"),
            access_token=Secret(secrets.token_urlsafe(32)),
        )

    def identity(self, specification: InstanceSpecification) -> str:
        return " ".join(sorted(pod["metadata"]["uid"] for pod in self.pods(specification)))

    def picture(self, specification: InstanceSpecification) -> object:
        """Every object that is ours and which of its fields are, with what is of the tenant or of chance left out."""
        names = {
            specification.tenant: "<tenant>",
            specification.database_schema: "<schema>",
            owner_uid(self.settings.installation, specification.tenant, specification.namespace): "<owner>",
            str(specification.digest()): "<digest>",
        }
        found = []
        for kind, plural in sorted(PLURALS.items()):
            scope = "" if kind == "Namespace" else f"/namespaces/{specification.namespace}"
            path = f"{self._root(plural)}{scope}/{plural}?labelSelector={quote(f'{TENANT}={specification.tenant}')}"
            for body in self.objects(path):
                text = json.dumps(_without_chance(kind, body), sort_keys=True)
                for name, mark in names.items():
                    text = text.replace(name, mark)
                found.append(json.loads(text))
        return found

    def secrets_given(self, specification: InstanceSpecification) -> tuple[str, str]:
        data = self.call("GET", f"/api/v1/namespaces/{specification.namespace}/secrets/nerve")["data"]
        return base64.b64decode(data["dsn"]).decode(), base64.b64decode(data["token"]).decode()

    def disturb(self, specification: InstanceSpecification) -> None:
        """Open the network, give the account a right, let the container run as root, and take the service away."""
        inside = f"namespaces/{specification.namespace}"
        self.call(
            "PATCH",
            f"/apis/networking.k8s.io/v1/{inside}/networkpolicies/deny-all",
            {"spec": {"egress": [{}], "ingress": [{}]}},
            merge=True,
        )
        self.call(
            "PATCH",
            f"/apis/rbac.authorization.k8s.io/v1/{inside}/roles/nerve",
            {"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]},
            merge=True,
        )
        self.call(
            "PATCH",
            f"/apis/apps/v1/{inside}/deployments/nerve",
            {"spec": {"template": {"spec": {"securityContext": {"runAsUser": 0, "runAsNonRoot": False}}}}},
            merge=True,
        )
        self.call("DELETE", f"/api/v1/{inside}/services/nerve")

    def squat(self, specification: InstanceSpecification) -> None:
        name = specification.namespace
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": {"team": "another"}}})
        self.call("POST", f"/api/v1/namespaces/{name}/configmaps", {"metadata": {"name": "theirs"}, "data": {"a": "1"}})

    def squatter(self, specification: InstanceSpecification) -> object:
        metadata = self.call("GET", f"/api/v1/namespaces/{specification.namespace}")["metadata"]
        metadata.pop("managedFields")
        theirs = self.call("GET", f"/api/v1/namespaces/{specification.namespace}/configmaps/theirs")
        return metadata, theirs, self.leftovers(dataclasses.replace(specification, namespace="none"))

    def hinder(self) -> AbstractContextManager[None]:
        return self.kubelet.silent()

    def apply_killed_at(self, specification: InstanceSpecification, point: str) -> None:
        self.killed_at(specification, point, "apply")

    def killed_at(self, specification: InstanceSpecification, point: str, operation: str) -> None:
        """Run `apply` or `deprovision` in a process that dies at the point."""
        told = {
            "kubeconfig": str(self.kubeconfig),
            "settings": dataclasses.asdict(self.settings),
            "specification": specification.as_json()
            | {"connection": specification.connection.value, "access_token": specification.access_token.value},
            "point": point,
            "operation": operation,
            "timeout": self.timeout,
        }
        outcome = subprocess.run(
            [sys.executable, "-m", "tests.provisioning.killed_process"], input=json.dumps(told), text=True, cwd=ROOT
        )
        assert outcome.returncode == -9, f"not killed {point}: {outcome.returncode}"

    def leftovers(self, specification: InstanceSpecification) -> list[str]:
        """Everything in the namespace, of whatever kind, and everything that bears the tenant's label anywhere."""
        label = quote(f"{TENANT}={specification.tenant}")
        found = set()
        for root, plural, namespaced in self._kinds():
            paths = [f"{root}/{plural}?labelSelector={label}"]
            if namespaced:
                paths.append(f"{root}/namespaces/{specification.namespace}/{plural}")
            for path in paths:
                found |= {f"{plural}/{body['metadata']['name']}" for body in self.objects(path)}
        return sorted(found)

    def clean_up(self) -> None:
        """Delete every namespace that a test has used."""
        for namespace in self._namespaces:
            try:
                self.call("DELETE", f"/api/v1/namespaces/{namespace}")
            except ApiError as refusal:
                if refusal.status not in {404, 409}:  # gone, or going
                    raise

    def _root(self, plural: str) -> str:
        return next(root for root, name, _ in self._kinds() if name == plural)

    def _kinds(self) -> list[tuple[str, str, bool]]:
        """Every kind that the server can list, in the version that it prefers, by its own description of itself."""
        if not self._listable:
            groups = self.call("GET", "/apis")["groups"]
            roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
            for root in roots:
                for resource in self.call("GET", root)["resources"]:
                    if "list" in resource["verbs"] and "/" not in resource["name"]:
                        self._listable.append((root, resource["name"], resource["namespaced"]))
        return self._listable


def _without_chance(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    metadata = body["metadata"]
    ours = [
        {"operation": entry["operation"], "fields": entry["fieldsV1"]}
        for entry in metadata["managedFields"]
        if entry["manager"] == "tenant-runtime"
    ]
    metadata = {key: value for key, value in metadata.items() if key not in _OF_CHANCE}
    metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    told = {key: value for key, value in body.items() if key not in {"status", "secrets", "metadata"}}
    if kind == "Secret":
        told["data"] = sorted(told["data"])
    if kind == "Service":
        told["spec"] = {key: value for key, value in told["spec"].items() if not key.startswith("clusterIP")}
    if kind == "Deployment":
        told["spec"]["template"]["metadata"]["annotations"].pop("tenant-runtime/secret-checksum")
    return {"kind": kind, "metadata": metadata, "ours": ours} | told
