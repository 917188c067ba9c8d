"""One analyser for the whole test session: it is costly to build."""

from __future__ import annotations

import pathlib

import pytest

from tenant_pipeline.pii.analyzer import PiiAnalyzer, build_analyzer

pytest.register_assert_rewrite("tests.unit.pii.screening")


@pytest.fixture(scope="session")
def analyzer() -> PiiAnalyzer:
    return build_analyzer()


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    path = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the shared data folder is not beside this checkout")
    return path
