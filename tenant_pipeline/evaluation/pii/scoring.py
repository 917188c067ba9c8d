"""Compare what a recogniser finds with what gold data marks: by overlap, and by exact boundaries.

A marked span counts as found when a found span of its type shares a character with it (overlap) or has its offsets
(exact); a found span that no marked span of its type answers to is a false positive. A title is no part of a name
for us but is for some gold data, so exact boundaries of names are compared without titles on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.pii.gold import GoldSet, GoldText, Span, needs_a_trained_model
from tenant_pipeline.evaluation.report import WorstError
from tenant_pipeline.pii.recognisers.person_titles import TITLE

Finder = Callable[[GoldText], Iterable[tuple[Span, float]]]
"""What finds spans in a text, with the score of each."""

_EXCERPT = 30
_EACH_KIND_OF_ERROR = 25


@dataclass
class Score:
    """The counts of one finder on one data set."""

    overlap: Counts = field(default_factory=Counts)
    exact: Counts = field(default_factory=Counts)
    by_type: dict[str, Counts] = field(default_factory=dict)
    exact_by_type: dict[str, Counts] = field(default_factory=dict)
    by_language: dict[str, Counts] = field(default_factory=dict)
    by_source: dict[str, Counts] = field(default_factory=dict)
    needing_a_model: dict[str, Counts] = field(default_factory=dict)
    unmarked_types: dict[str, int] = field(default_factory=dict)
    errors: list[WorstError] = field(default_factory=list)


def score(gold: GoldSet, find: Finder) -> Score:
    """Count a finder's hits and errors in every text. Types that the data set nowhere marks are counted apart."""
    marked_types = {kind for text in gold.texts for span in text.spans if (kind := gold.type_of(span.type))}
    result = Score()
    for text in gold.texts:
        marked = [Span(s.start, s.end, kind) for s in text.spans if (kind := gold.type_of(s.type))]
        found = list(find(text))
        for span, _ in found:
            if span.type not in marked_types:
                result.unmarked_types[span.type] = result.unmarked_types.get(span.type, 0) + 1
        for kind in sorted(marked_types):
            _score_type(
                result,
                text,
                kind,
                [span for span in marked if span.type == kind],
                [(span, sure) for span, sure in found if span.type == kind],
            )
    result.errors.sort(key=lambda error: -error.weight)
    return result


def _score_type(
    result: Score, text: GoldText, kind: str, marked: Sequence[Span], found: Sequence[tuple[Span, float]]
) -> None:
    if not marked and not found:
        return
    spans = [span for span, _ in found]
    missed = [span for span in marked if not any(span.overlaps(other) for other in spans)]
    wrong = [(span, sure) for span, sure in found if not any(span.overlaps(other) for other in marked)]
    overlap = Counts(len(marked) - len(missed), len(wrong), len(missed))
    exact = _exact(text.text, kind, marked, spans)
    if needs_a_trained_model(kind, text.language):
        _add(result.needing_a_model, f"{kind} {text.language}", overlap)
        return
    result.overlap += overlap
    result.exact += exact
    _add(result.by_type, kind, overlap)
    _add(result.exact_by_type, kind, exact)
    _add(result.by_language, text.language, overlap)
    if text.source:
        _add(result.by_source, text.source, overlap)
    result.errors += [_error(text, span, kind, "nothing", "missed", 1.0) for span in missed]
    result.errors += [_error(text, span, "nothing", kind, "false alarm", sure) for span, sure in wrong]


def _exact(text: str, kind: str, marked: Sequence[Span], found: Sequence[Span]) -> Counts:
    expected = {_bounds(text, span) if kind == "PERSON" else (span.start, span.end) for span in marked}
    given = {_bounds(text, span) if kind == "PERSON" else (span.start, span.end) for span in found}
    return Counts(len(expected & given), len(given - expected), len(expected - given))


def _bounds(text: str, span: Span) -> tuple[int, int]:
    title = TITLE.match(text, span.start, span.end)
    return (title.end(), span.end) if title and title.end() < span.end else (span.start, span.end)


def _add(groups: dict[str, Counts], name: str, counts: Counts) -> None:
    groups[name] = groups.get(name, Counts()) + counts


def _error(text: GoldText, span: Span, expected: str, found: str, why: str, weight: float) -> WorstError:
    before = text.text[max(0, span.start - _EXCERPT) : span.start]
    after = text.text[span.end : span.end + _EXCERPT]
    excerpt = f"{before}⟨{text.text[span.start : span.end]}⟩{after}".replace("\n", " ")
    return WorstError(text.place, expected, found, f"{why}: {excerpt}", weight)


def worst(errors: Sequence[WorstError]) -> tuple[WorstError, ...]:
    """The worst of both kinds: spans missed, and false alarms from the surest down."""
    missed = [error for error in errors if error.found == "nothing"]
    alarms = [error for error in errors if error.found != "nothing"]
    return (*missed[:_EACH_KIND_OF_ERROR], *alarms[:_EACH_KIND_OF_ERROR])
