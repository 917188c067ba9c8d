"""What is flagged that is nobody's: seeded random values, and names of places as a column `name` holds them."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.pii.peers import PRESIDIO, SURE_PRESIDIO, presidio_finds, sure_presidio_finds
from tenant_pipeline.evaluation.pii.random_values import EACH, random_values
from tenant_pipeline.evaluation.report import Measured, WorstError
from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.column_evidence import column_evidence
from tenant_pipeline.pii.nearby_words import field_words
from tenant_pipeline.pii.recognisers.registry import NOT_PERSONAL

_FIELD = "name"
_SHOWN = 25

Figures = dict[str, float | int | str | None]


def measure_random_values(analyzer: PiiAnalyzer, *, peers: bool) -> Measured:
    """The share of each kind of random value that is flagged, ours beside Presidio's."""
    finders: dict[str, Callable[[str], object]] = {"": lambda text: _personal(analyzer, text)}
    if peers:
        finders |= {f": {PRESIDIO}": presidio_finds, f": {SURE_PRESIDIO}": sure_presidio_finds}
    values = random_values()
    number = sum(map(len, values.values()))
    figures: Figures = {"values of each kind": EACH}
    for name, find in finders.items():
        flagged = {kind: sum(bool(find(text)) for text in texts) for kind, texts in values.items()}
        figures |= {f"{kind}{name}": round(count / len(values[kind]), 4) for kind, count in flagged.items()}
        figures[f"all kinds{name}"] = round(sum(flagged.values()) / number, 4)
    note = "Shares (0–1) of seeded values that are nobody's, each asked alone and without a field name."
    return Measured("random values", Counts(), figures=figures, notes=(note,))


def measure_places(analyzer: PiiAnalyzer, dataset: str, names: list[str]) -> Measured:
    """The share of the names that is taken for a person's, and for anything personal, in one column `name`."""
    values = pa.array(names, type=pa.string())
    context = (field_words(_FIELD), *column_evidence(values))
    flagged = {
        index: found
        for index, answers in analyzer.find_all(values, context).items()
        if (found := {one.entity_type for one in answers} - NOT_PERSONAL)
    }
    persons = [index for index, found in flagged.items() if "PERSON" in found]
    errors = (WorstError(dataset, "nothing", "PERSON", f"false alarm: {names[index]}") for index in persons[:_SHOWN])
    figures: Figures = {
        "names": len(names),
        "taken for a person": len(persons),
        "share taken for a person": round(len(persons) / len(names), 4) if names else None,
        "share flagged at all": round(len(flagged) / len(names), 4) if names else None,
    }
    note = "Names of places, venues and organisations; a practice named for its doctor counts as a false alarm as well."
    return Measured(f"{dataset}, names of places", Counts(), figures=figures, errors=tuple(errors), notes=(note,))


def _personal(analyzer: PiiAnalyzer, text: str) -> set[str]:
    return {one.entity_type for one in analyzer.find(text)} - NOT_PERSONAL
