"""The Kubernetes backend on a real API server, etcd and controller manager. Pods never run: see kubelet_stand_in."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
from tenant_pipeline.provisioning.kubernetes.client.connection import ApiError
from tenant_pipeline.provisioning.provisioner import Action, InstanceSpecification, InstanceStatus, Phase
from tests.provisioning.cluster import ROOT, ClusterUnderTest, cluster_under_test
from tests.provisioning.contract import ProvisionerContract
from tests.provisioning.kubelet_stand_in import report


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterUnderTest]:
    with cluster_under_test() as under_test:
        yield under_test


class TestKubernetes(ProvisionerContract):
    kill_points = (
        "after POST Namespace",
        "after PATCH Namespace",
        "before PATCH NetworkPolicy",
        "after PATCH Secret",
        "before PATCH Deployment",
        "after PATCH Deployment",
        "after PATCH Service",
    )

    @pytest.fixture
    def backend(self, cluster: ClusterUnderTest) -> ClusterUnderTest:
        return cluster


def test_an_object_of_our_name_in_our_namespace_that_is_not_ours_is_refused(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    secrets = f"/api/v1/namespaces/{specification.namespace}/secrets"
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    cluster.call("DELETE", f"{secrets}/nerve")
    cluster.call("POST", secrets, {"metadata": {"name": "nerve"}, "stringData": {"dsn": "theirs"}})
    before = cluster.call("GET", f"{secrets}/nerve")
    for attempt in (
        lambda: cluster.provisioner.plan(specification),
        lambda: cluster.provisioner.apply(specification, timeout=cluster.timeout),
    ):
        with pytest.raises(ProvisioningError) as refusal:
            attempt()
        assert refusal.value.where == f"Secret {specification.namespace}/nerve"
    assert cluster.call("GET", f"{secrets}/nerve") == before


def test_another_installations_instance_is_refused(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    other = KubernetesProvisioner(dataclasses.replace(cluster.settings, installation="other"), cluster.api)
    assert specification.namespace not in other.standing()
    for attempt in (
        lambda: other.plan(specification),
        lambda: other.apply(specification, timeout=cluster.timeout),
        lambda: other.deprovision(specification.tenant, specification.namespace, timeout=cluster.timeout),
    ):
        with pytest.raises(ProvisioningError, match="another installation"):
            attempt()
    assert cluster.provisioner.plan(specification).changes_nothing


def test_a_namespace_that_is_being_deleted_is_waited_out_and_begun_anew(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    namespace = f"/api/v1/namespaces/{specification.namespace}"
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    before = cluster.call("GET", namespace)["metadata"]["uid"]
    release = _hold(cluster, namespace)
    cluster.call("DELETE", namespace)
    assert cluster.provisioner.status(specification.tenant, specification.namespace).phase is Phase.TERMINATING
    assert cluster.provisioner.standing()[specification.namespace] is False
    assert {change.action for change in cluster.provisioner.plan(specification).changes} == {Action.CREATE}
    with pytest.raises(ProvisioningError, match="not gone in time") as late:
        cluster.provisioner.apply(specification, timeout=2)
    assert late.value.where == f"Namespace {specification.namespace}"
    assert cluster.call("GET", namespace)["metadata"]["uid"] == before
    threading.Timer(2, release).start()
    assert cluster.provisioner.apply(specification, timeout=cluster.timeout).phase is Phase.HEALTHY
    assert cluster.call("GET", namespace)["metadata"]["uid"] != before


def test_an_instance_whose_namespace_is_deleted_while_it_comes_up_is_begun_anew(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    namespace = f"/api/v1/namespaces/{specification.namespace}"
    with _applying(cluster, specification):
        _until(lambda: cluster.pods(specification))
        before = cluster.call("GET", namespace)["metadata"]["uid"]
        cluster.call("DELETE", namespace)
    assert cluster.call("GET", namespace)["metadata"]["uid"] != before
    assert cluster.provisioner.plan(specification).changes_nothing


def test_what_cannot_be_taken_away_in_time_is_told_with_what_holds_it(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    release = _hold(cluster, f"/api/v1/namespaces/{specification.namespace}")
    with pytest.raises(ProvisioningError, match=r"not gone in time: .*configmaps") as late:
        cluster.provisioner.deprovision(specification.tenant, specification.namespace, timeout=12)
    assert "finalizer" in late.value.remedy
    release()
    cluster.provisioner.deprovision(specification.tenant, specification.namespace, timeout=cluster.timeout)
    assert cluster.leftovers(specification) == []


@pytest.mark.parametrize("point", ["before DELETE Namespace", "after DELETE Namespace"])
def test_killed_while_taking_an_instance_away_it_can_be_taken_away_again(cluster: ClusterUnderTest, point: str) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    cluster.killed_at(specification, point, "deprovision")
    cluster.provisioner.deprovision(specification.tenant, specification.namespace, timeout=cluster.timeout)
    assert cluster.leftovers(specification) == []


def test_the_rights_that_the_documentation_lists_are_enough(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    role, account = _documented_rights(), "/api/v1/namespaces/default/serviceaccounts"
    name = specification.namespace
    role["metadata"]["name"] = name
    cluster.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    cluster.call("POST", account, {"metadata": {"name": name}})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    }
    cluster.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    token = cluster.call("POST", f"{account}/{name}/token", {"spec": {}})["status"]["token"]
    limited = KubernetesProvisioner(cluster.settings, cluster.connection_of(token))
    try:
        assert not limited.plan(specification).changes_nothing
        assert limited.apply(specification, timeout=cluster.timeout).phase is Phase.HEALTHY
        cluster.disturb(specification)
        assert limited.apply(specification, timeout=cluster.timeout).phase is Phase.HEALTHY
        assert limited.plan(specification).changes_nothing
        assert limited.standing()[specification.namespace] is True
        limited.deprovision(specification.tenant, specification.namespace, timeout=cluster.timeout)
        assert cluster.leftovers(specification) == []
    finally:
        cluster.call("DELETE", f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}")
        cluster.call("DELETE", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}")
        cluster.call("DELETE", f"{account}/{name}")


def test_a_field_that_cannot_be_changed_is_planned_and_done_as_a_replacement(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    picture = cluster.picture(specification)
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{specification.namespace}/rolebindings"
    binding = cluster.call("GET", f"{bindings}/nerve")
    cluster.call("DELETE", f"{bindings}/nerve")
    del binding["metadata"]["resourceVersion"], binding["metadata"]["uid"]
    binding["roleRef"] = binding["roleRef"] | {"kind": "ClusterRole", "name": "cluster-admin"}
    binding["metadata"]["managedFields"] = []
    cluster.call("POST", bindings, binding)
    changes = [one for one in cluster.provisioner.plan(specification).changes if one.action is not Action.KEEP]
    assert [(one.kind, one.action, one.differences) for one in changes] == [
        ("RoleBinding", Action.REPLACE, ("roleRef",))
    ]
    assert cluster.provisioner.apply(specification, timeout=cluster.timeout).phase is Phase.HEALTHY
    assert cluster.provisioner.plan(specification).changes_nothing
    assert cluster.picture(specification) == picture


def test_drift_is_shown_by_the_paths_of_its_fields(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    cluster.disturb(specification)
    changes = [one for one in cluster.provisioner.plan(specification).changes if one.action is not Action.KEEP]
    pod = "spec.template.spec.securityContext"
    assert [(one.kind, one.name, one.action, one.differences) for one in changes] == [
        ("NetworkPolicy", "deny-all", Action.UPDATE, ("spec.egress", "spec.ingress")),
        ("Role", "nerve", Action.UPDATE, ("rules",)),
        ("Deployment", "nerve", Action.UPDATE, (f"{pod}.runAsNonRoot", f"{pod}.runAsUser")),
        ("Service", "nerve", Action.CREATE, ()),
    ]


def test_what_others_add_beside_our_fields_is_left_to_them(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    path = f"/api/v1/namespaces/{specification.namespace}"
    cluster.call("PATCH", path, {"metadata": {"labels": {"cost-centre": "7"}}}, merge=True)
    assert cluster.provisioner.plan(specification).changes_nothing
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    assert cluster.call("GET", path)["metadata"]["labels"]["cost-centre"] == "7"


@pytest.mark.parametrize(
    ("reason", "phase"),
    [("ImagePullBackOff", Phase.UNHEALTHY), ("CrashLoopBackOff", Phase.UNHEALTHY), ("PodInitializing", Phase.STARTING)],
)
def test_the_status_says_why_containers_do_not_run_and_never_what_they_said(
    cluster: ClusterUnderTest, reason: str, phase: Phase
) -> None:
    specification = cluster.new_specification()
    with _applying(cluster, specification):
        _until(lambda: len(cluster.pods(specification)) == 2)
        for pod in cluster.pods(specification):
            ended = {"exitCode": 137, "reason": "OOMKilled", "message": specification.connection.value}
            container = {
                "name": "nerve",
                "image": "registry.example/nerve:1",
                "imageID": "",
                "ready": False,
                "restartCount": 3,
                "state": {"waiting": {"reason": reason, "message": specification.connection.value}},
                "lastState": {"terminated": ended},
            }
            report(cluster.api, pod, {"phase": "Pending", "containerStatuses": [container]})
        status = cluster.provisioner.status(specification.tenant, specification.namespace)
    assert status.phase is phase
    assert status.detail == (f"0 of 2 pods available; 2 pods: {reason} (ended before: OOMKilled, exit code 137)")


def test_the_status_says_when_a_quota_refuses_the_pods(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    quotas = f"/api/v1/namespaces/{specification.namespace}/resourcequotas"
    cluster.call("POST", quotas, {"metadata": {"name": "austerity"}, "spec": {"hard": {"pods": "0"}}})
    _until(lambda: cluster.call("GET", f"{quotas}/austerity").get("status", {}).get("hard"))
    for pod in cluster.pods(specification):
        cluster.call("DELETE", f"/api/v1/namespaces/{specification.namespace}/pods/{pod['metadata']['name']}")
    _until(lambda: _status(cluster, specification).detail.startswith("0 of 2 pods available; FailedCreate: "))
    status = _status(cluster, specification)
    assert status.phase is Phase.UNHEALTHY
    assert "exceeded quota: austerity" in status.detail


def test_a_deployment_that_is_gone_is_told(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    cluster.call("DELETE", f"/apis/apps/v1/namespaces/{specification.namespace}/deployments/nerve")
    status = cluster.provisioner.status(specification.tenant, specification.namespace)
    assert (status.phase, status.detail) == (
        Phase.UNHEALTHY,
        "The namespace has no deployment: apply was not finished.",
    )


def test_the_server_keeps_to_the_quota_and_the_limits(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    pods = f"/api/v1/namespaces/{specification.namespace}/pods"
    greedy = {"name": "a", "image": "a.example/a", "resources": {"limits": {"memory": "1Gi", "cpu": "1"}}}
    with pytest.raises(ApiError) as refusal:
        cluster.call("POST", pods, {"metadata": {"name": "greedy"}, "spec": {"containers": [greedy]}})
    assert refusal.value.status == 403
    modest = {"containers": [{"name": "a", "image": "a.example/a"}]}
    cluster.call("POST", pods, {"metadata": {"name": "third"}, "spec": modest})
    with pytest.raises(ApiError) as refusal:
        cluster.call("POST", pods, {"metadata": {"name": "fourth"}, "spec": modest})
    assert refusal.value.status == 403
    services = f"/api/v1/namespaces/{specification.namespace}/services"
    with pytest.raises(ApiError) as refusal:
        cluster.call("POST", services, {"metadata": {"name": "second"}, "spec": {"ports": [{"port": 1}]}})
    assert refusal.value.status == 403


def test_the_instances_account_may_do_nothing(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    account = f"system:serviceaccount:{specification.namespace}:nerve"
    for verb, resource in (("get", "secrets"), ("list", "pods"), ("create", "pods"), ("get", "configmaps")):
        review = cluster.call(
            "POST",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {
                "spec": {
                    "user": account,
                    "resourceAttributes": {
                        "namespace": specification.namespace,
                        "verb": verb,
                        "resource": resource,
                    },
                }
            },
        )
        assert review["status"]["allowed"] is False


def test_the_disruption_budget_is_of_the_version_that_the_server_offers(cluster: ClusterUnderTest) -> None:
    specification = cluster.new_specification()
    cluster.provisioner.apply(specification, timeout=cluster.timeout)
    offered = {one["groupVersion"] for one in cluster.call("GET", "/apis/policy")["versions"]}
    version = "policy/v1" if "policy/v1" in offered else "policy/v1beta1"
    path = f"/apis/{version}/namespaces/{specification.namespace}/poddisruptionbudgets/nerve"
    assert cluster.call("GET", path)["spec"]["maxUnavailable"] == 1


@contextmanager
def _applying(cluster: ClusterUnderTest, specification: InstanceSpecification) -> Iterator[None]:
    """Meanwhile `apply` runs and no pod is reported ready; in the end it succeeds."""
    outcome: list[InstanceStatus] = []
    applying = threading.Thread(
        target=lambda: outcome.append(cluster.provisioner.apply(specification, timeout=cluster.timeout))
    )
    with cluster.hinder():
        applying.start()
        _until(lambda: cluster.pods(specification))
        yield
    applying.join()
    assert [status.phase for status in outcome] == [Phase.HEALTHY]


def _hold(cluster: ClusterUnderTest, namespace: str) -> Callable[[], object]:
    """Put something into the namespace that keeps it from being deleted. Returns what lets it go."""
    held = {"metadata": {"name": "held", "finalizers": ["test.example/held"]}}
    cluster.call("POST", f"{namespace}/configmaps", held)
    return lambda: cluster.call("PATCH", f"{namespace}/configmaps/held", {"metadata": {"finalizers": None}}, merge=True)


def _status(cluster: ClusterUnderTest, specification: InstanceSpecification) -> InstanceStatus:
    return cluster.provisioner.status(specification.tenant, specification.namespace)


def _documented_rights() -> dict[str, Any]:
    page = (ROOT / "docs" / "operate" / "kubernetes.md").read_text()
    block = page.partition("```yaml\n")[2].partition("```")[0]
    rights: dict[str, Any] = yaml.safe_load(block)
    assert rights["kind"] == "ClusterRole"
    return rights


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
