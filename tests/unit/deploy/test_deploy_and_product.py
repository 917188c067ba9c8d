"""What is deployed and what the product reads are the same: its code locations, its ports, its settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tenant_pipeline.cli.code_locations import CODE_LOCATIONS
from tenant_pipeline.settings import Settings
from tests.unit.deploy.deployed import DEPLOY, OBJECTS, VALUES

ROOT = Path(__file__).parents[3]
SETTINGS = {f"TENANT_RUNTIME_{name.upper()}" for name in Settings.model_fields}
OF_UP = {f"TENANT_RUNTIME_{name}" for name in ("WORKSPACE_PORT", "WEBSERVER_PORT", "LONGEST_RUN_SECONDS")}
"""For `up` alone: a deployment says these with its ports and in the values of Dagster's chart."""


def _text() -> str:
    files = [DEPLOY / "Containerfile", *DEPLOY.glob("manifests/*.yaml"), DEPLOY / "dagster" / "values.yaml"]
    return "\n".join(path.read_text() for path in files)


def _named(kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def _ports_let_in() -> set[int]:
    policies = [each["spec"] for each in OBJECTS if each["kind"] == "NetworkPolicy"]
    return {port["port"] for spec in policies for rule in spec.get("ingress", []) for port in rule["ports"]}


def test_every_code_location_that_up_serves_is_deployed_and_no_other() -> None:
    deployed = VALUES["dagster-user-deployments"]["deployments"]
    assert [each["dagsterApiGrpcArgs"] for each in deployed] == [["--module-name", each] for each in CODE_LOCATIONS]


def test_every_port_that_is_listened_on_is_let_in_and_no_other() -> None:
    code = {each["port"] for each in VALUES["dagster-user-deployments"]["deployments"]}
    webserver = VALUES["dagsterWebserver"]
    assert webserver["readinessProbe"]["httpGet"]["port"] == webserver["service"]["port"]
    (api,) = _named("Deployment", "tenant-runtime-api")["spec"]["template"]["spec"]["containers"]
    (listened,) = (each["containerPort"] for each in api["ports"])
    assert api["command"][-2:] == ["--port", str(listened)]
    assert f"EXPOSE {listened}\n" in _text()
    assert _ports_let_in() == {*code, webserver["service"]["port"], listened}


def test_the_database_is_at_the_same_address_for_everybody() -> None:
    instances = yaml.safe_load(_named("ConfigMap", "tenant-runtime-instances")["data"]["instances.yaml"])
    dagster = VALUES["postgresql"]
    assert f"{dagster['postgresqlHost']}/32" == instances["database_cidr"]
    assert dagster["service"]["port"] == instances["database_port"]
    rules = _named("NetworkPolicy", "tenant-runtime-shared")["spec"]["egress"]
    way = {"to": [{"ipBlock": {"cidr": instances["database_cidr"]}}],
           "ports": [{"protocol": "TCP", "port": instances["database_port"]}]}  # fmt: skip
    assert way in rules


def test_every_setting_is_set_or_named_and_none_is_that_the_product_does_not_read() -> None:
    assert set(re.findall(r"TENANT_RUNTIME_[A-Z_]+", _text())) == SETTINGS - OF_UP


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "operate" / "running.md").read_text()))
    assert {name.removeprefix("TENANT_RUNTIME_") for name in SETTINGS} <= documented
