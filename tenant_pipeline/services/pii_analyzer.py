"""The PII analyser of this process: costly to load and to build, the same for every tenant; so once, when asked for.

What is shown of the source's own words is replaced with it as `screen` does, under the tenant's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from tenant_pipeline.core.batch_map import BatchMap
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.settings import Settings

if TYPE_CHECKING:
    from tenant_pipeline.pii.analyzer import Found, PiiAnalyzer, Question
    from tenant_pipeline.pii.replacement import Replacer
    from tenant_pipeline.services.runtime import Runtime


@cache
def analyzer() -> PiiAnalyzer:
    """The analyser over all recognisers, with what the installation's configuration adds."""
    from tenant_pipeline.pii.analyzer import build_analyzer
    from tenant_pipeline.pii.configuration import configured_analyzer

    configuration = Settings().pii_configuration
    return build_analyzer() if configuration is None else configured_analyzer(configuration)


def analyzer_over(batch_map: BatchMap) -> PiiAnalyzer:
    """The same analyser, which puts the values of long columns to those of the processes behind `batch_map`."""

    def elsewhere(parts: Iterable[list[Question]], context: tuple[str, ...]) -> Iterator[list[tuple[Found, ...]]]:
        return batch_map(partial(_answer, context), parts)

    return replace(analyzer(), elsewhere=elsewhere)


def replacer(runtime: Runtime, tenant: TenantId) -> Replacer:
    """What replaces personal data of a tenant in texts that are shown, under its key and the policy of now."""
    from tenant_pipeline.pii.replacement import Replacer

    return Replacer(analyzer(), runtime.contracts.pii_policy, runtime.keys.digest_key(tenant))


def _answer(context: tuple[str, ...], questions: list[Question]) -> list[tuple[Found, ...]]:
    return analyzer().answer(questions, context)
