"""The manifests are valid by Kubernetes' own schemas, name only what exists, and give no pod more than it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from tenant_pipeline.cli import main
from tenant_pipeline.intake.link.policy import PORTS
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.settings import Settings
from tests.unit.deploy.deployed import MANIFESTS, NAMES, NEWEST, OBJECTS, OLDEST, objects_of

RECOVERY = [MANIFESTS.parent / "recovery" / name for name in ("verify", "restore")]
SECRETS = {
    "tenant-runtime-database", "tenant-runtime-metrics", "tenant-runtime-object-store", "tenant-runtime-openid",
    "tenant-runtime-tls",
}  # fmt: skip
"""Made by hand: settings.yaml and ingress.yaml say so."""
RECOVERY_SECRET = "tenant-runtime-recovery"
"""Made for as long as a backup is read: docs/operate/backup.md says so."""
CONTRACTS = "tenant-runtime-contracts"
"""Made where an installation has contracts of its own: docs/extend/contract.md says so."""

VERIFY, RESTORE = (job for folder in RECOVERY for job in objects_of(folder))
ALL = [*OBJECTS, VERIFY, RESTORE]


def _pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for each in ALL:
        spec = each.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield each["metadata"]["name"], spec["template"]["spec"]


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def _values(content: Any, key: str) -> Iterator[Any]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(content, list):
        for value in content:
            yield from _values(value, key)


@pytest.mark.parametrize("folder", [MANIFESTS, *RECOVERY], ids=lambda folder: folder.name)
def test_every_file_is_in_the_kustomization(folder: Path) -> None:
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("body", ALL, ids=lambda body: f"{body['kind']}/{body['metadata']['name']}")
def test_every_object_is_valid_by_kubernetes_own_schema(body: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(body, version, strict=True).startswith(version)


def test_what_is_named_exists() -> None:
    for body in ALL:
        for content in [*_values(body, "configMapRef"), *_values(body, "configMap")]:
            assert ("ConfigMap", content["name"]) in NAMES or (content["name"] == CONTRACTS and content.get("optional"))
        for reference in _values(body, "secretRef"):
            assert reference["name"] in SECRETS
        for secret in [*_values(body, "secretKeyRef"), *_values(body, "secret")]:
            assert secret.get("name", secret.get("secretName")) in {*SECRETS, RECOVERY_SECRET}
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
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in _containers(pod):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert "temporary" in mounts
        assert mounts <= volumes
        at_the_database = any(each["name"] == "tenant-runtime-database" for each in _values(container, "secretRef"))
        assert ({"home", "keys"} & mounts == {"home", "keys"}) == at_the_database


def test_no_secret_is_written_down() -> None:
    assert not [name for kind, name in NAMES if kind == "Secret"]
    for name, pod in _pods():
        for variable in (each for container in _containers(pod) for each in container.get("env", [])):
            assert "valueFrom" in variable or not re.search("DSN|PASS", variable["name"]), name


def test_both_volumes_can_be_mounted_by_many_nodes_at_once() -> None:
    claims = [each for each in OBJECTS if each["kind"] == "PersistentVolumeClaim"]
    shared = {each["metadata"]["name"] for each in claims if each["spec"]["accessModes"] == ["ReadWriteMany"]}
    assert shared == {"tenant-runtime-home", "tenant-runtime-keys"}
    assert {each["metadata"]["name"] for each in claims} - shared == {"tenant-runtime-backups"}


def test_backups_are_made_without_the_key_that_reads_them_and_only_once_somebody_has_said_for_whom() -> None:
    (backup,) = (each for each in OBJECTS if each["kind"] == "CronJob")
    assert backup["spec"]["suspend"] is True
    assert backup["spec"]["concurrencyPolicy"] == "Forbid"
    assert RECOVERY_SECRET not in str(backup)
    pod = backup["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [container["name"] for container in _containers(pod)] == ["take", "prune"], "none goes before one came"
    assert not [each for each in OBJECTS if RECOVERY_SECRET in str(each)], "nothing that always runs sees the key"


def test_nothing_makes_keys_or_migrates_before_a_backup_is_brought_back() -> None:
    component = yaml.safe_load((RECOVERY[1] / "kustomization.yaml").read_text())
    patches = [yaml.safe_load(each["patch"]) for each in component["patches"]]
    assert all(each["$patch"] == "delete" for each in patches)
    left_away = {(each["kind"], each["metadata"]["name"]) for each in patches}
    assert left_away <= NAMES
    assert left_away >= {
        (each["kind"], each["metadata"]["name"]) for each in OBJECTS if list(_values(each, "containers"))
    }


@pytest.mark.parametrize("body", [VERIFY, RESTORE], ids=["verify", "restore"])
def test_who_reads_backups_cannot_change_them(body: dict[str, Any]) -> None:
    (container,) = body["spec"]["template"]["spec"]["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts["backups"]["readOnly"]
    assert mounts["recovery"]["readOnly"]


def test_who_reads_backups_to_verify_them_reaches_nothing() -> None:
    (opened,) = (each for each in OBJECTS if each["metadata"]["name"] == "tenant-runtime-shared")
    (let_out,) = opened["spec"]["podSelector"]["matchExpressions"]
    assert {"backup", "restore"} <= set(let_out["values"])
    assert VERIFY["spec"]["template"]["metadata"]["labels"]["tenant-runtime/component"] not in let_out["values"]


def test_links_and_feeds_come_out_by_every_port_that_they_may_lead_to() -> None:
    (opened,) = (each for each in OBJECTS if each["metadata"]["name"] == "tenant-runtime-shared")
    (world,) = (rule for rule in opened["spec"]["egress"] if "0.0.0.0/0" in _values(rule, "cidr"))
    assert {each["port"] for each in world["ports"]} == PORTS


def _commands() -> Iterator[list[str]]:
    for _, pod in _pods():
        for container in _containers(pod):
            if "backups" in {mount["name"] for mount in container["volumeMounts"]}:
                yield container["command"]


@pytest.mark.parametrize("command", list(_commands()), ids=lambda command: command[2])
def test_the_command_line_knows_what_backups_are_made_and_read_with(command: list[str]) -> None:
    told = next(each["data"] for each in OBJECTS if "RECIPIENT" in each.get("data", {}))
    words = iter([re.sub(r"\$\((\w+)\)", lambda name: told.get(name[1], "x"), word) for word in command[1:]])
    found: Any = typer.main.get_command(main.app)
    while hasattr(found, "get_command"):
        found = found.get_command(None, next(words))
    context = found.make_context("test", list(words))
    assert context.params["folder"] == Path("/backups/everything")


def test_a_backup_is_read_only_as_its_signer_is_named_and_the_manual_names_it_where_it_stands() -> None:
    manual = (MANIFESTS.parents[1] / "docs" / "operate" / "backup.md").read_text()
    patched = {}
    for name, patch in re.findall(r"target: {kind: Job, name: ([\w-]+)}\n\s+patch: \|-\n((?:\s+- {op: .*\n)+)", manual):
        patched[name] = [int(each) for each in re.findall(r"/env/(\d+)/value", patch)]
    for job, told in ((RESTORE, ["SNAPSHOT", "ACTOR", "SIGNED_BY"]), (VERIFY, ["SIGNED_BY"])):
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert [container["env"][each]["name"] for each in patched[job["metadata"]["name"]]] == told
        assert "--signed-by=$(SIGNED_BY)" in container["command"]


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
    page = (MANIFESTS.parents[1] / "docs" / "operate" / "kubernetes.md").read_text()
    documented = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    (role,) = (each for each in OBJECTS if each["kind"] == "ClusterRole")
    assert role["rules"] == documented["rules"]


def test_keys_may_lie_apart_from_the_home(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).keys_directory == tmp_path / "keys"
    assert Settings(home=tmp_path, keys=tmp_path / "elsewhere").keys_directory == tmp_path / "elsewhere"
