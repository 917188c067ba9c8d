"""How what a source says stands to what the rules propose: the colour of a cell of the matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from tenant_pipeline.core.conflict.comparators.registry import compare
from tenant_pipeline.core.conflict.comparison import SEVERITY, ConflictItem, Verdict
from tenant_pipeline.core.vocabulary import PropertyDefinition


class Relation(StrEnum):
    """A cell of the matrix. `withdrawn` is a source that once took part in an item and no longer does."""

    AGREES = "agrees"
    REFINES = "refines"
    DIFFERS = "differs"
    INCOMPARABLE = "incomparable"
    WITHDRAWN = "withdrawn"


_OF_VERDICT = {
    Verdict.SAME: Relation.AGREES,
    Verdict.REFINES: Relation.REFINES,
    Verdict.DIFFERS: Relation.DIFFERS,
    Verdict.INCOMPARABLE: Relation.INCOMPARABLE,
}
_GRAVITY = {relation: SEVERITY[verdict] for verdict, relation in _OF_VERDICT.items()}


def relations_of_values(item: ConflictItem, definition: PropertyDefinition) -> Mapping[str, Relation]:
    """Each value of an item, relative to the proposed one. Where nothing is proposed, nothing can be compared."""
    proposed = item.proposed_value
    if proposed is None:
        return {one.value: Relation.INCOMPARABLE for one in item.candidates}
    return {
        value: _OF_VERDICT[compare(proposed, value, item.lang, definition).verdict]
        for value in {one.value for one in item.candidates}
    }


def gravest(relations: Iterable[Relation]) -> Relation:
    """What a source's cell shows when the source says several things: the gravest of them."""
    return max(relations, key=_GRAVITY.__getitem__)
