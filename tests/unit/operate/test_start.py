"""A process loads at its start what it needs then: what takes seconds waits until it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATER = {"presidio_analyzer", "spacy", "alembic"}


@pytest.mark.parametrize(
    ("module", "later"),
    [
        ("tenant_pipeline.cli.tenant", LATER | {"pandas", "dagster"}),
        ("tenant_pipeline.api.application", LATER | {"dagster"}),
        ("tenant_pipeline.definitions", {"presidio_analyzer", "spacy"}),
    ],
)
def test_what_takes_long_to_load_is_not_loaded_at_the_start(module: str, later: set[str]) -> None:
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert later & set(said.split()) == set()
