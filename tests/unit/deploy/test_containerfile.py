"""The container build file: parsed, checked against the checkout, and its installing step run in a plain folder.

No image is built: that needs a container engine, and images from a registry.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def steps() -> list[dict[str, Any]]:
    parser = DockerfileParser(fileobj=io.BytesIO((DEPLOY / "Containerfile").read_bytes()))
    return [each for each in parser.structure if each["instruction"] != "COMMENT"]


def _said(steps: list[dict[str, Any]], instruction: str) -> list[str]:
    return [each["value"] for each in steps if each["instruction"] == instruction]


def test_it_names_one_base_image_and_no_registry(steps: list[dict[str, Any]]) -> None:
    assert _said(steps, "ARG") == ["BASE=python:3.11-slim"]
    assert _said(steps, "FROM") == ["${BASE} AS build", "${BASE}"]
    assert not re.search(r"https?://|index-url", (DEPLOY / "Containerfile").read_text() + _lock())


def test_what_it_copies_is_there_and_is_let_through(steps: list[dict[str, Any]]) -> None:
    let_through = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    for value in _said(steps, "COPY"):
        if not value.startswith("--from="):
            for source in value.split()[:-1]:
                assert (ROOT / source).exists()
                assert source in let_through


def test_the_image_runs_as_nobody_in_particular(steps: list[dict[str, Any]]) -> None:
    last = [each["instruction"] for each in steps].index("FROM", 2)
    assert _said(steps[last:], "USER") == ["10001:10001"]
    assert "RUN" not in {each["instruction"] for each in steps[last:]}, "the image's last part only copies"


def _lock() -> str:
    return (DEPLOY / "requirements.lock").read_text()


def _pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE))


def test_what_is_installed_is_what_was_tested_without_what_only_tests_need() -> None:
    tested, installed = _pinned((ROOT / "requirements.lock").read_text()), _pinned(_lock())
    assert installed.items() <= tested.items()
    assert not {"pytest", "hypothesis", "playwright", "pyspark", "ruff"} & installed.keys()
    assert {"dagster-k8s", "dagster-webserver", "dagster-postgres"} <= installed.keys()


@pytest.mark.slow
def test_the_installing_step_makes_an_environment_in_which_everything_starts(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    files = ("pyproject.toml", "README.md", "deploy/install.sh", "deploy/requirements.lock")
    for name in (*files, "tenant_pipeline", "dbt_project"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).symlink_to(ROOT / name)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    subprocess.run([ROOT / "deploy" / "install.sh", source, target], env={**environment, "PATH": path}, check=True)
    for command in (
        ["tenant-pipeline", "migrate", "--help"],
        ["tenant-pipeline", "workspace", "--help"],
        ["python", "-c", "import tenant_pipeline.definitions, dagster_k8s, dagster_webserver"],
        ["python", "-c", "import tenant_pipeline.nerve.application"],
        ["dagster", "--version"],
        ["dagster-webserver", "--version"],
    ):
        place = target / "bin" / command[0]
        subprocess.run([place, *command[1:]], env=environment, cwd=tmp_path, check=True, capture_output=True)
    started = (target / "bin" / "dagster-webserver").read_text()
    assert started.endswith(' -m tenant_pipeline.cli.dagster_ui "$@"\n'), "what the chart starts is the guarded one"
