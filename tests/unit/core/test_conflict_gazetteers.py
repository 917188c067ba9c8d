"""Three independent compilations of the official tambons: each difference is an item, and each item is explained."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tenant_pipeline.core.conflict.comparison import ConflictItem
from tenant_pipeline.core.conflict.find import find_conflicts
from tenant_pipeline.core.standardise.names import standardise_name
from tenant_pipeline.core.standardise.reading import Context
from tests.unit.core.conflict_candidates import VOCABULARY, candidate, frame, gazetteer_tambons

GAZETTEERS = Path(__file__).resolve().parents[4] / "shared" / "data" / "thai_gazetteers"
pytestmark = pytest.mark.skipif(not GAZETTEERS.is_dir(), reason="the shared gazetteers are not beside this checkout")

SHARED_TAMBONS = 7407
RAW_DIFFERENCES = {("name", "en"): 641, ("name", "th"): 59, ("postalCode", ""): 18}
EXPLAINED = {
    ("name", "en", "same", "equal_after_standardisation"): 2,
    ("name", "en", "same", "names_equal_ignoring_case_spacing_and_punctuation"): 426,
    ("name", "en", "differs", "names_differ"): 213,
    ("name", "th", "differs", "names_differ"): 59,
    ("postalCode", "", "differs", "codes_differ"): 18,
}


@pytest.fixture(scope="module")
def candidates() -> pd.DataFrame:
    gazetteers = dict(gazetteer_tambons(GAZETTEERS))
    shared = set.intersection(*(set(tambons) for tambons in gazetteers.values()))
    assert len(shared) == SHARED_TAMBONS
    rows: list[dict[str, Any]] = []
    for source, tambons in gazetteers.items():
        for code in sorted(shared):
            said = tambons[code]
            for lang in ("th", "en"):
                name = standardise_name(said[lang], Context(lang)).value
                rows.append(candidate(name, source, canonical_id=code, lang=lang, raw_value=said[lang]))
            rows.append(candidate(said["postalCode"], source, canonical_id=code, property="postalCode", lang=""))
    return frame(*rows)


@pytest.fixture(scope="module")
def items(candidates: pd.DataFrame) -> list[ConflictItem]:
    return find_conflicts(candidates, VOCABULARY)


def test_the_items_are_exactly_the_raw_differences(items: list[ConflictItem]) -> None:
    assert Counter((item.property, item.lang) for item in items) == RAW_DIFFERENCES


def test_every_difference_is_explained_by_a_rule(items: list[ConflictItem]) -> None:
    explained = Counter((item.property, item.lang, str(item.verdict), item.rule) for item in items)
    assert explained == EXPLAINED


def test_the_order_of_the_rows_changes_nothing(candidates: pd.DataFrame, items: list[ConflictItem]) -> None:
    assert find_conflicts(candidates.sample(frac=1, random_state=7), VOCABULARY) == items
