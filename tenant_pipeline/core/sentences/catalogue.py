"""Every sentence that is made for people, by its English template: what it is in Thai and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from tenant_pipeline.core.sentences.checks import CHECKS
from tenant_pipeline.core.sentences.conflicts import COMPARING, DECIDING, PROPOSING
from tenant_pipeline.core.sentences.coverage import COVERAGE
from tenant_pipeline.core.sentences.linking import LINKING, PEOPLE, PLACES
from tenant_pipeline.core.sentences.pages import PAGES

TRANSLATED = ("th", "zh")
"""The languages of a translation, in their order."""

CATALOGUE: Mapping[str, tuple[str, str]] = {
    **COMPARING,
    **PROPOSING,
    **DECIDING,
    **COVERAGE,
    **LINKING,
    **PLACES,
    **PEOPLE,
    **CHECKS,
    **PAGES,
}
