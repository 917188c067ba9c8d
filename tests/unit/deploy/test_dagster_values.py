"""The values for Dagster's chart, as the instance's own schema and the run launcher's own code read them.

The chart is not fetched: `_rendered` says the instance's settings as the chart's template does, key by key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import kubernetes_validate
import pytest
import yaml
from dagster import DagsterInstance
from dagster._config import process_config
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.instance.config import dagster_instance_config_schema
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_k8s.launcher import K8sRunLauncher
from kubernetes.client import ApiClient

from tenant_pipeline.cli.up import START_SECONDS
from tests.unit.deploy.deployed import NAMES, NEWEST, OBJECTS, OLDEST, VALUES

ROOT = Path(__file__).parents[3]
LAUNCHER = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
USER_DEPLOYMENTS = VALUES["dagster-user-deployments"]
CODE, MARTS = USER_DEPLOYMENTS["deployments"]
DAGSTERS_ACCOUNT = VALUES["serviceAccount"]["name"]


def _launcher() -> dict[str, Any]:
    """The launcher's settings by the template `dagsterYaml.runLauncher.k8s`."""
    raw = LAUNCHER["runK8sConfig"]
    return {
        "load_incluster_config": LAUNCHER["loadInclusterConfig"],
        "job_namespace": "tenant-runtime",
        "image_pull_policy": LAUNCHER["imagePullPolicy"],
        "service_account_name": DAGSTERS_ACCOUNT,
        "dagster_home": "/opt/dagster/dagster_home",
        "instance_config_map": "dagster-instance",
        "postgres_password_secret": VALUES["global"]["postgresqlSecretName"],
        "env_vars": LAUNCHER["envVars"],
        "labels": LAUNCHER["labels"],
        "security_context": LAUNCHER["securityContext"],
        "fail_pod_on_run_failure": LAUNCHER["failPodOnRunFailure"],
        "run_k8s_config": {"pod_spec_config": raw["podSpecConfig"], "job_spec_config": raw["jobSpecConfig"]},
    }


def _rendered() -> dict[str, Any]:
    """`dagster.yaml` by the template `configmap-instance`."""
    queue = VALUES["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    return {
        "run_launcher": {"module": "dagster_k8s", "class": "K8sRunLauncher", "config": _launcher()},
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {
                "max_concurrent_runs": queue["maxConcurrentRuns"],
                "tag_concurrency_limits": queue["tagConcurrencyLimits"],
            },
        },
        "telemetry": {"enabled": VALUES["telemetry"]["enabled"]},
        "retention": {
            kind: {"purge_after_days": VALUES["retention"][kind]["purgeAfterDays"]} for kind in ("sensor", "schedule")
        },
        **VALUES["additionalInstanceConfig"],
    }


def _processed(schema: Any, config: dict[str, Any]) -> dict[str, Any]:
    processed = process_config(schema, config)
    assert processed.success, [str(each) for each in processed.errors or []]
    return dict(processed.value or {})


def test_dagster_takes_the_instance_settings() -> None:
    _processed(dagster_instance_config_schema(), _rendered())


def test_dagster_refuses_a_setting_that_it_does_not_know() -> None:
    wrong = {**_rendered(), "run_monitoring": {"enabled": True, "max_runtime": 1}}
    assert not process_config(dagster_instance_config_schema(), wrong).success


def test_a_tenant_holds_a_tenth_of_the_places_at_most() -> None:
    config = _rendered()["run_coordinator"]["config"]
    coordinator = QueuedRunCoordinator(**_processed(QueuedRunCoordinator.config_type(), config))
    (limit,) = coordinator.get_run_queue_config().tag_concurrency_limits
    assert limit == {"key": "tenant", "value": {"applyLimitPerUniqueValue": True}, "limit": 2}
    assert limit["limit"] * 10 <= coordinator.get_run_queue_config().max_concurrent_runs


class Requests:
    """Stands in for the API server: keeps the jobs that the launcher asks for."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def create_namespaced_job_with_retries(self, body: Any, namespace: str, **_: Any) -> None:
        assert namespace == "tenant-runtime"
        self.jobs.append(ApiClient().sanitize_for_serialization(body))


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The job that the launcher itself asks for, of a run of our code location."""
    kubeconfig = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    cluster = {"clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}], "users": []}
    context = {"contexts": [{"name": "x", "context": {"cluster": "x", "user": ""}}], "current-context": "x"}
    kubeconfig.write_text(yaml.safe_dump({**cluster, **context}))
    outside = {**_launcher(), "load_incluster_config": False, "kubeconfig_file": str(kubeconfig)}
    requests = Requests()
    launcher = K8sRunLauncher(**_processed(K8sRunLauncher.config_type(), outside))
    launcher._api_client = requests  # type: ignore[assignment]
    said = {  # by the template `dagsterUserDeployments.k8sContainerContext`
        "image_pull_policy": CODE["image"]["pullPolicy"],
        "resources": CODE["resources"],
        "env_config_maps": [each["name"] for each in CODE["envConfigMaps"]],
        "env_secrets": [each["name"] for each in CODE["envSecrets"]],
        "volumes": CODE["volumes"],
        "volume_mounts": CODE["volumeMounts"],
        "labels": CODE["labels"],
        "service_account_name": USER_DEPLOYMENTS["serviceAccount"]["name"],
        "namespace": "tenant-runtime",
    }
    repository = RepositoryPythonOrigin(
        executable_path="python",
        code_pointer=ModuleCodePointer("tenant_pipeline.definitions", "defs"),
        container_image="tenant-runtime:0.1.0",
        container_context={"k8s": said},
    )
    with DagsterInstance.ephemeral() as instance:
        launcher.register_instance(instance)
        origin = JobPythonOrigin("normalise_sources", repository)
        run = instance.create_run_for_job(job_def=_nothing, job_code_origin=origin)
        launcher._launch_k8s_job_with_args("dagster-run-x", ["dagster", "api", "execute_run"], run)
    (asked,) = requests.jobs
    return dict(asked)


@dg.job
def _nothing() -> None:
    """Some job: what it does is not asked."""


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_pod_of_a_run_is_valid_by_kubernetes_own_schema(job: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(job, version, strict=True).startswith(version)


def test_the_pod_of_a_run_is_restricted_and_sees_keys_home_and_database(job: dict[str, Any]) -> None:
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert ("ServiceAccount", pod["serviceAccountName"]) in NAMES
    assert pod["serviceAccountName"] == "tenant-runtime-runs"
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {"secretRef": {"name": "tenant-runtime-database"}} in container["envFrom"]
    assert {"name": "DAGSTER_EVENT_BATCH_SIZE", "value": "50"} in container["env"]
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    assert {"/tmp", "/var/lib/tenant-runtime", "/var/lib/tenant-runtime-keys"} <= mounted
    assert "/etc/tenant-runtime-contracts" in mounted
    assert job["spec"]["template"]["metadata"]["labels"]["tenant-runtime/component"] in {"run", "code"}
    assert container["resources"]["limits"] == {"memory": "4Gi"}
    assert job["spec"]["backoffLimit"] == 0


def _subjects(kind: str) -> set[str]:
    (binding,) = (each for each in OBJECTS if each["kind"] == kind)
    return {each["name"] for each in binding["subjects"]}


def test_only_who_brings_up_instances_or_has_them_follow_a_state_has_the_role_for_it(job: dict[str, Any]) -> None:
    runs = job["spec"]["template"]["spec"]["serviceAccountName"]
    code, marts = (each["serviceAccount"]["name"] for each in (CODE, MARTS))
    assert _subjects("ClusterRoleBinding") == {runs, code}
    assert marts == DAGSTERS_ACCOUNT
    assert _subjects("RoleBinding") == {DAGSTERS_ACCOUNT}


def test_who_has_the_role_is_let_to_the_api_server() -> None:
    (opened,) = (each for each in OBJECTS if each["metadata"]["name"] == "tenant-runtime-dagster" and "spec" in each)
    (let_out,) = opened["spec"]["podSelector"]["matchExpressions"]
    components = {LAUNCHER["labels"]["tenant-runtime/component"], CODE["labels"]["tenant-runtime/component"]}
    assert components <= set(let_out["values"])
    assert {"protocol": "TCP", "port": 6443} in opened["spec"]["egress"][-1]["ports"]


def test_what_the_values_name_is_in_the_manifests() -> None:
    assert "serviceAccountName" not in VALUES["global"], "it would be everybody's, before what they name themselves"
    for each in (VALUES, USER_DEPLOYMENTS, CODE, MARTS):
        assert not each["serviceAccount"]["create"]
        assert ("ServiceAccount", each["serviceAccount"]["name"]) in NAMES
    for each in [*CODE["envConfigMaps"], *VALUES["dagsterWebserver"]["envConfigMaps"]]:
        assert ("ConfigMap", each["name"]) in NAMES
    for volume in CODE["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            assert ("PersistentVolumeClaim", claim["claimName"]) in NAMES
        if content := volume.get("configMap"):
            assert ("ConfigMap", content["name"]) in NAMES or content.get("optional")


def test_the_webserver_is_told_by_what_name_its_own_pages_ask() -> None:
    (told,) = (each["name"] for each in VALUES["dagsterWebserver"]["envConfigMaps"])
    (settings,) = (each["data"] for each in OBJECTS if each["metadata"]["name"] == told)
    assert urlsplit(settings["TENANT_RUNTIME_DAGSTER_URL"]).scheme == "https"


def test_every_code_location_of_the_workspace_is_deployed() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    modules = [each["python_module"]["module_name"] for each in workspace["load_from"]]
    assert [each["dagsterApiGrpcArgs"] for each in (CODE, MARTS)] == [["--module-name", name] for name in modules]


def test_the_code_servers_differ_in_what_they_load_alone() -> None:
    own = {"name", "dagsterApiGrpcArgs", "serviceAccount", "resources"}
    assert {key for key in CODE if CODE[key] != MARTS.get(key)} == own
    assert CODE.keys() == MARTS.keys()
    assert CODE["readinessProbe"]["periodSeconds"] * CODE["readinessProbe"]["failureThreshold"] >= START_SECONDS
