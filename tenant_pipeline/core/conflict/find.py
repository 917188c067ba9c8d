"""Find the items of the conflict matrix among what sources say of the same entities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, groupby
from operator import itemgetter

import pandas as pd

from tenant_pipeline.core.conflict.comparators.registry import compare
from tenant_pipeline.core.conflict.comparison import SEVERITY, Candidate, Compared, ConflictItem, Verdict
from tenant_pipeline.core.conflict.resolution import propose
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.vocabulary import PropertyDefinition, Vocabulary

RULES_VERSION = "1.2.0"
MOST_VALUES = 40
"""Of one item, so many distinct values are compared with one another; more is not a conflict but a mistaken link."""

_GROUP = ["canonical_id", "property", "lang"]
_CANDIDATE = [
    "source_id", "statement_id", "value", "raw_value", "locator", "authority_tier", "origin", "observed_at",
]  # fmt: skip
_TEXT = [column for column in _CANDIDATE if column not in ("value", "authority_tier")] + ["lang"]


def find_conflicts(frame: pd.DataFrame, vocabulary: Vocabulary) -> list[ConflictItem]:
    """The items among these candidates: whole groups of an entity's property in one language, whatever their order.

    A single-valued property that two sources write differently is an item, also when a rule finds the values to be
    the same: each difference is explained. What an AI wrote counts as another source than the one it lies in. Absent
    values are no candidates, so they never conflict.
    """
    single = {name for name, definition in vocabulary.properties.items() if not definition.multi_valued}
    frame = frame[frame["property"].isin(single) & frame["value"].notna()]
    if frame.empty:
        return []
    frame = frame.assign(**{column: frame[column].astype("string").fillna("") for column in _TEXT})
    frame["speaker"] = frame["source_id"] + frame["authority_tier"].astype("string")
    grouped = frame.groupby(_GROUP, sort=False)
    sources = grouped["speaker"].transform("nunique")
    written = grouped["raw_value"].transform("nunique")
    values = grouped["value"].transform("nunique")
    disputed = frame[(sources >= 2) & ((written >= 2) | (values >= 2))].sort_values(_GROUP)
    columns = [disputed[column].tolist() for column in (*_GROUP, "type", *_CANDIDATE)]
    items = []
    for (canonical_id, property_, lang), rows in groupby(zip(*columns, strict=True), key=itemgetter(0, 1, 2)):
        group = list(rows)
        candidates = sorted(
            (
                Candidate(source, statement, value, raw, locator, int(tier), origin, observed)
                for _, _, _, _, source, statement, value, raw, locator, tier, origin, observed in group
            ),
            key=lambda one: (one.authority_tier, one.source_id, one.statement_id, one.value, one.raw_value),
        )
        type_ = min(row[3] for row in group)
        items.append(_item(canonical_id, type_, vocabulary.property(property_), lang, tuple(candidates)))
    return items


def _item(
    canonical_id: str, type_: str, definition: PropertyDefinition, lang: str, candidates: tuple[Candidate, ...]
) -> ConflictItem:
    compared = _worst(sorted({one.value for one in candidates}), lang, definition)
    proposal = propose(candidates, compared.verdict is Verdict.DIFFERS)
    named = [[one.source_id, one.statement_id, one.value] for one in candidates]
    return ConflictItem(
        canonical_id=canonical_id,
        type=type_,
        property=definition.name,
        lang=lang,
        verdict=compared.verdict,
        rule=compared.rule,
        candidates=candidates,
        candidates_digest=sha256_of_json([RULES_VERSION, sorted(named)]),
        proposed_value=proposal.value,
        proposed_rule=proposal.rule,
        needs_person=proposal.needs_person,
    )


def _worst(values: Sequence[str], lang: str, definition: PropertyDefinition) -> Compared:
    """The gravest verdict among all pairs of distinct values."""
    worst = Compared(Verdict.SAME, "equal_after_standardisation")
    for left, right in combinations(values[:MOST_VALUES], 2):
        found = compare(left, right, lang, definition)
        if SEVERITY[found.verdict] > SEVERITY[worst.verdict] or (
            found.verdict is worst.verdict and worst.rule == "equal_after_standardisation"
        ):
            worst = found
    return worst
