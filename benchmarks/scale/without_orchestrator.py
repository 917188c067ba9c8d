"""The work of the assets called one after the other in this process, with no orchestrator: what it costs at least."""

from __future__ import annotations

import time
from collections import Counter

from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, COVERAGE_SCORE
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source

ASSETS = (*map(str, STAGES), CONFLICT_MATRIX, COVERAGE_SCORE)


def run_source(runtime: Runtime, source: Source) -> Counter[str]:
    """Bring a source through the nine stages, the conflict matrix and the coverage score; the seconds of each."""
    seconds: Counter[str] = Counter()
    for stage in STAGES:
        started = time.perf_counter()
        run_stage(runtime, source.tenant, source.id, stage)
        seconds[str(stage)] = time.perf_counter() - started
    for name, update in ((CONFLICT_MATRIX, update_conflicts), (COVERAGE_SCORE, update_coverage)):
        started = time.perf_counter()
        update(runtime, source.tenant, source.id)
        seconds[name] = time.perf_counter() - started
    return seconds
