"""The PII analyser of this process: costly to build, the same for every tenant, so built once."""

from __future__ import annotations

from functools import cache

from tenant_pipeline.pii.analyzer import PiiAnalyzer, build_analyzer
from tenant_pipeline.pii.configuration import configured_analyzer
from tenant_pipeline.settings import Settings


@cache
def analyzer() -> PiiAnalyzer:
    """The analyser over all recognisers, with what the installation's configuration adds."""
    configuration = Settings().pii_configuration
    return build_analyzer() if configuration is None else configured_analyzer(configuration)
