"""Server-side apply: the server merges what we say with what others say, and remembers which fields are ours.

An object that exists is bound to the UID that was looked at, so that one that has taken its place meanwhile is not
touched. `force` takes over only the fields that we send.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.provisioning.kubernetes.client.connection import ApiConnection, ApiError
from tenant_pipeline.provisioning.kubernetes.client.deadline import Deadline
from tenant_pipeline.provisioning.kubernetes.naming import FIELD_MANAGER
from tenant_pipeline.provisioning.kubernetes.objects.identity import KubernetesObject
from tenant_pipeline.provisioning.kubernetes.ownership import place

_PAGE = 500
PLURALS = {
    "Deployment": "deployments",
    "LimitRange": "limitranges",
    "Namespace": "namespaces",
    "NetworkPolicy": "networkpolicies",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "ResourceQuota": "resourcequotas",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
}


class Cluster:
    """The objects of a cluster, one at a time. Every method raises ApiError where the server refuses."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def read(self, body: KubernetesObject, deadline: Deadline) -> KubernetesObject | None:
        """The live object of the same kind, namespace and name, or None."""
        try:
            return self._connection.request("GET", _path(body), place=place(body), deadline=deadline)
        except ApiError as refusal:
            if refusal.status == 404:
                return None
            raise

    def create(self, body: KubernetesObject, deadline: Deadline) -> bool:
        """Create the object, only if there is none of its name. False if there is."""
        try:
            self._connection.request(
                "POST",
                _collection(body),
                place=place(body),
                deadline=deadline,
                query={"fieldManager": FIELD_MANAGER},
                body=body,
            )
        except ApiError as refusal:
            if refusal.reason == "AlreadyExists":
                return False
            raise
        return True

    def preview(self, body: KubernetesObject, live: KubernetesObject, deadline: Deadline) -> KubernetesObject:
        """What applying it would make of the live object, by the server's own reckoning. Changes nothing."""
        return self._patch(body, live, deadline, {"dryRun": "All"})

    def apply(self, body: KubernetesObject, live: KubernetesObject | None, deadline: Deadline) -> None:
        """Apply the object over what was read; replace it where a field differs that cannot be changed.

        Raises ProvisioningError where the object to be replaced is not gone by the deadline.
        """
        try:
            self._patch(body, live, deadline, {})
        except ApiError as refusal:
            if live is None or not self.must_be_replaced(refusal, body, deadline):
                raise
        else:
            return
        self.delete(live, deadline)
        while self._stands(live, deadline):
            if not deadline.pause():
                raise ProvisioningError(
                    "The object must be replaced, and the old one is not gone in time",
                    where=place(body),
                    remedy="See which finalizer holds it, then run this again.",
                )
        self._patch(body, None, deadline, {})

    def must_be_replaced(self, refusal: ApiError, body: KubernetesObject, deadline: Deadline) -> bool:
        """Whether the update was refused only because the object is there: as a new one it would be valid.

        A quota that is used up by the old object (403) is asked last, after an object has been found valid.
        """
        if refusal.status != 422:
            return False
        new = copy.deepcopy(body)
        new["metadata"]["generateName"] = new["metadata"].pop("name") + "-"
        try:
            self._connection.request(
                "POST", _collection(body), place=place(body), deadline=deadline, query={"dryRun": "All"}, body=new
            )
        except ApiError as trial:
            return trial.status == 403
        return True

    def delete(self, live: KubernetesObject, deadline: Deadline) -> None:
        """Have the server delete exactly this object, by its UID. None of that UID being there is no error."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": live["metadata"]["uid"]},
            "propagationPolicy": "Background",
        }
        try:
            self._connection.request("DELETE", _path(live), place=place(live), deadline=deadline, body=options)
        except ApiError as refusal:
            if refusal.status != 404 and self._stands(live, deadline):
                raise

    def pods(self, namespace: str, deadline: Deadline) -> list[KubernetesObject]:
        """All pods of a namespace."""
        answer = self._connection.request(
            "GET", f"/api/v1/namespaces/{namespace}/pods", place=f"Pods of {namespace}", deadline=deadline
        )
        items: list[KubernetesObject] = answer["items"]
        return items

    def every(self, api_version: str, kind: str, selector: str, deadline: Deadline) -> Iterator[KubernetesObject]:
        """The objects of a kind in all namespaces that bear these labels, without their kind, page by page."""
        path = _collection({"apiVersion": api_version, "kind": kind, "metadata": {}})
        query = {"labelSelector": selector, "limit": str(_PAGE)}
        while True:
            answer = self._connection.request("GET", path, place=f"Every {kind}", deadline=deadline, query=query)
            yield from answer["items"]
            more = (answer.get("metadata") or {}).get("continue")
            if not more:
                return
            query["continue"] = more

    def offers(self, group: str, version: str, deadline: Deadline) -> bool:
        """Whether the server offers this version of an API group."""
        answer = self._connection.request("GET", f"/apis/{group}", place=f"API group {group}", deadline=deadline)
        return any(offered.get("version") == version for offered in answer["versions"])

    def _stands(self, live: KubernetesObject, deadline: Deadline) -> bool:
        found = self.read(live, deadline)
        return found is not None and found["metadata"]["uid"] == live["metadata"]["uid"]

    def _patch(
        self, body: KubernetesObject, live: KubernetesObject | None, deadline: Deadline, query: dict[str, str]
    ) -> dict[str, Any]:
        if live is not None:
            body = body | {"metadata": body["metadata"] | {"uid": live["metadata"]["uid"]}}
        return self._connection.request(
            "PATCH",
            _path(body),
            place=place(body),
            deadline=deadline,
            query={"fieldManager": FIELD_MANAGER, "force": "true"} | query,
            body=body,
            content_type="application/apply-patch+yaml",
        )


def _collection(body: KubernetesObject) -> str:
    version = body["apiVersion"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = body["metadata"].get("namespace")
    return f"{root}/namespaces/{namespace}/{PLURALS[body['kind']]}" if namespace else f"{root}/{PLURALS[body['kind']]}"


def _path(body: KubernetesObject) -> str:
    return f"{_collection(body)}/{body['metadata']['name']}"
