"""The manifests are valid by Kubernetes' own schemas, name only what exists, and give no pod more than it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.settings import Settings

FOLDER = Path(__file__).parents[3] / "deploy" / "manifests"
OLDEST, NEWEST = "1.25", "1.37"
SECRETS = {
    "tenant-runtime-database", "tenant-runtime-metrics", "tenant-runtime-object-store", "tenant-runtime-openid",
    "tenant-runtime-tls",
}  # fmt: skip
"""Made by hand: settings.yaml and ingress.yaml say so."""


def _objects() -> list[dict[str, Any]]:
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    return [each for name in kustomization["resources"] for each in yaml.safe_load_all((FOLDER / name).read_text())]


OBJECTS = _objects()
NAMES = {(each["kind"], each["metadata"]["name"]) for each in OBJECTS}


def _pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for each in OBJECTS:
        if "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def _values(content: Any, key: str) -> Iterator[Any]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(content, list):
        for value in content:
            yield from _values(value, key)


def test_every_file_is_in_the_kustomization() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("body", OBJECTS, ids=lambda body: f"{body['kind']}/{body['metadata']['name']}")
def test_every_object_is_valid_by_kubernetes_own_schema(body: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(body, version, strict=True).startswith(version)


def test_what_is_named_exists() -> None:
    for body in OBJECTS:
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            for reference in _values(body, key):
                assert (kind, reference["name"]) in NAMES or reference["name"] in SECRETS
        for claim in _values(body, "claimName"):
            assert ("PersistentVolumeClaim", claim) in NAMES
        for account in _values(body, "serviceAccountName"):
            assert ("ServiceAccount", account) in NAMES
        for service in _values(body, "service"):
            assert ("Service", service["name"]) in NAMES


def test_each_selector_finds_the_pods_it_means() -> None:
    (api,) = (each for each in OBJECTS if each["kind"] == "Deployment")
    labels = api["spec"]["template"]["metadata"]["labels"]
    for kind in ("Service", "PodDisruptionBudget", "Deployment"):
        (body,) = (each for each in OBJECTS if each["kind"] == kind)
        selector = body["spec"]["selector"]
        assert labels.items() >= selector.get("matchLabels", selector).items()
    (scaler,) = (each for each in OBJECTS if each["kind"] == "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == api["metadata"]["name"]


@pytest.mark.parametrize(("name", "pod"), list(_pods()))
def test_a_pod_is_restricted_and_writes_nowhere_but_to_its_volumes(name: str, pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert {"home", "keys", "temporary"} <= {mount["name"] for mount in container["volumeMounts"]}


def test_no_secret_is_written_down() -> None:
    assert not [name for kind, name in NAMES if kind == "Secret"]
    for name, pod in _pods():
        for variable in (each for container in pod["containers"] for each in container.get("env", [])):
            assert "valueFrom" in variable or "DSN" not in variable["name"], name


def test_both_volumes_can_be_mounted_by_many_nodes_at_once() -> None:
    claims = [each for each in OBJECTS if each["kind"] == "PersistentVolumeClaim"]
    assert {name["metadata"]["name"] for name in claims} == {"tenant-runtime-home", "tenant-runtime-keys"}
    assert all(each["spec"]["accessModes"] == ["ReadWriteMany"] for each in claims)


def test_the_settings_are_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    (given,) = (each["data"] for each in OBJECTS if each["metadata"]["name"] == "tenant-runtime-settings")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    known = {f"TENANT_RUNTIME_{name.upper()}" for name in Settings.model_fields}
    assert set(given) <= known
    assert Settings().public_url == given["TENANT_RUNTIME_PUBLIC_URL"]
    (instances,) = (each["data"] for each in OBJECTS if each["metadata"]["name"] == "tenant-runtime-instances")
    KubernetesSettings(**yaml.safe_load(instances["instances.yaml"]))


def test_the_role_of_runs_is_the_documented_one() -> None:
    page = (FOLDER.parents[1] / "docs" / "operate" / "kubernetes.md").read_text()
    documented = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    (role,) = (each for each in OBJECTS if each["kind"] == "ClusterRole")
    assert role["rules"] == documented["rules"]


def test_keys_may_lie_apart_from_the_home(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).keys_directory == tmp_path / "keys"
    assert Settings(home=tmp_path, keys=tmp_path / "elsewhere").keys_directory == tmp_path / "elsewhere"
