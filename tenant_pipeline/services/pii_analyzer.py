"""The PII analyser of this process: costly to build, the same for every tenant, so built once."""

from __future__ import annotations

from functools import cache

from tenant_pipeline.pii.analyzer import PiiAnalyzer, build_analyzer


@cache
def analyzer() -> PiiAnalyzer:
    """The analyser over all recognisers."""
    return build_analyzer()
