"""The manifests of deploy/ on a real API server: a dry run on the server, with its defaulting, admission and checks.

That server is Kubernetes 1.20, the newest that can be built here; what is of an API version that is younger is sent to
it in the version that it has.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.provisioning.cluster import ClusterUnderTest, cluster_under_test
from tests.unit.deploy.deployed import OBJECTS

NAMESPACE = "tenant-runtime"
PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
YOUNGER = {"autoscaling/v2": "autoscaling/v2beta2", "policy/v1": "policy/v1beta1"}
YOUNGER_KINDS = {"CronJob": "batch/v1beta1"}
YOUNGER_FIELDS = {"spec.ttlSecondsAfterFinished", "spec.jobTemplate.spec.ttlSecondsAfterFinished", "spec.timeZone"}
"""Taken from 1.21 on, a time zone from 1.25."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterUnderTest]:
    with cluster_under_test() as under_test:
        under_test.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        yield under_test
        under_test.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


@pytest.mark.parametrize("body", OBJECTS, ids=lambda body: f"{body['kind']}/{body['metadata']['name']}")
def test_the_api_server_takes_every_object_and_keeps_every_field(
    cluster: ClusterUnderTest, body: dict[str, Any]
) -> None:
    sent = copy.deepcopy(body)
    sent["apiVersion"] = YOUNGER_KINDS.get(body["kind"]) or YOUNGER.get(body["apiVersion"], body["apiVersion"])
    root = f"/apis/{sent['apiVersion']}" if "/" in sent["apiVersion"] else f"/api/{sent['apiVersion']}"
    place = root if body["kind"] in CLUSTER_WIDE else f"{root}/namespaces/{NAMESPACE}"
    plural = PLURALS.get(body["kind"], f"{body['kind'].lower()}s")
    if body["kind"] == "Namespace":
        sent["metadata"]["name"] = "tenant-runtime-dry-run"
    kept = cluster.call("POST", f"{place}/{plural}?dryRun=All", sent)
    assert set(_within(sent.get("spec", {}), kept.get("spec", {}))) <= YOUNGER_FIELDS


def _within(sent: Any, kept: Any, place: str = "spec") -> list[str]:
    """The places of what was sent and was not kept: a server drops in silence what it does not know."""
    if isinstance(sent, dict):
        missing = [f"{place}.{name}" for name in sent if name not in (kept or {})]
        return missing + [lost for name in sent if name in (kept or {}) for lost in
                          _within(sent[name], kept[name], f"{place}.{name}")]  # fmt: skip
    if isinstance(sent, list):
        if not isinstance(kept, list) or len(kept) < len(sent):
            return [place]
        return [lost for number, each in enumerate(sent) for lost in _within(each, kept[number], f"{place}[{number}]")]
    return []
