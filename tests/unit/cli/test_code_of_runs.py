"""The process that runs are forked from has built the analyser, unless a file configures it that may change."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tenant_pipeline.services.pii_analyzer import analyzer


@pytest.mark.parametrize("configured", [False, True])
def test_an_analyser_that_a_file_configures_is_left_to_each_run(
    configured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENANT_RUNTIME_PII_CONFIGURATION", raising=False)
    if configured:
        monkeypatch.setenv("TENANT_RUNTIME_PII_CONFIGURATION", str(tmp_path / "not there yet.yaml"))
    analyzer.cache_clear()
    try:
        runpy.run_module("tenant_pipeline.cli.code_of_runs")
        assert analyzer.cache_info().currsize == (not configured)
    finally:
        analyzer.cache_clear()
