"""What is deployed: the objects of the manifests, and the values for Dagster's chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
MANIFESTS = DEPLOY / "manifests"
OLDEST, NEWEST = "1.25", "1.37"
"""The versions of Kubernetes whose schemas all of it is valid by."""


def objects_of(folder: Path) -> list[dict[str, Any]]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return [each for name in kustomization["resources"] for each in yaml.safe_load_all((folder / name).read_text())]


OBJECTS = objects_of(MANIFESTS)
NAMES = {(each["kind"], each["metadata"]["name"]) for each in OBJECTS}
VALUES = yaml.safe_load((DEPLOY / "dagster" / "values.yaml").read_text())
