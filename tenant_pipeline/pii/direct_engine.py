"""Presidio's engine with the same answers in fewer steps, for when it is told which entity types to look for.

`AnalyzerEngine.analyze` collects the recognisers anew for each text, runs each, builds lists of results for each that
found nothing, and sorts what is sorted; over a column of telephone numbers that is most of its time. Asked for no
entity types in particular it is Presidio's own, and so the measure that this one is held against.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerResult

from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nearby_words import NO_SERIES, SERIES, words_expression, words_of, words_pattern
from tenant_pipeline.pii.quick_nearby_words import QuickNearbyWords
from tenant_pipeline.pii.recognisers.folded import FoldedRecogniser, bare_number

_ID = RecognizerResult.RECOGNIZER_IDENTIFIER_KEY

Question = tuple[EntityRecognizer, tuple[re.Pattern[str], ...]]
"""A recogniser, and what a folded text must fit for it to find anything sure."""


class DirectEngine(AnalyzerEngine):
    """An AnalyzerEngine over recognisers that set no thresholds of their own and only rescore what they found."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._nearby_words = QuickNearbyWords()
        self._questions = lru_cache(maxsize=1024)(self._to_ask)

    def analyze(
        self,
        text: str,
        language: str,
        entities: list[str] | None = None,
        *arguments: Any,
        **settings: Any,
    ) -> list[RecognizerResult]:
        """What Presidio finds in `text` of these entity types; see AnalyzerEngine.analyze."""
        if entities is None or arguments or settings.keys() - {"context"}:
            return super().analyze(text, language, entities, *arguments, **settings)
        context: list[str] | None = settings.get("context")
        folded = fold(text)
        artifacts = self.nlp_engine.process_text(text, language)
        found: list[tuple[EntityRecognizer, list[RecognizerResult]]] = []
        for recogniser, patterns in self._questions(
            language, tuple(entities), tuple(context or ()), bool(bare_number(folded))
        ):
            for pattern in patterns:
                if not pattern.search(folded):
                    break
            else:
                if results := recogniser.analyze(text, entities, artifacts):
                    found.append((recogniser, results))
        if not found:
            return []
        everything = [result for _, results in found for result in results]
        rescored: list[RecognizerResult] = []
        for recogniser, results in found:
            others = [result for result in everything if result.recognition_metadata[_ID] != recogniser.id]
            rescored += recogniser.enhance_using_context(text, results, others, artifacts, context)
        recognisers = [recogniser for recogniser, _ in found]
        self._nearby_words.enhance_using_context(text, rescored, artifacts, recognisers, context)
        sure = [result for result in rescored if result.score >= self.default_score_threshold]
        return sure if _are_apart(sure) else EntityRecognizer.remove_duplicates(sure)

    def _to_ask(self, language: str, entities: tuple[str, ...], context: tuple[str, ...], bare: bool) -> list[Question]:
        recognisers = self.registry.get_recognizers(language=language, entities=list(entities))
        return [
            (recogniser, patterns)
            for recogniser in recognisers
            if (patterns := _must_fit(recogniser, context, bare)) is not None
        ]


def _must_fit(recogniser: EntityRecognizer, context: tuple[str, ...], bare: bool) -> tuple[re.Pattern[str], ...] | None:
    """What a text must fit for the recogniser to be sure of anything; None where its field rules that out.

    Of a `bare` number, digits and nothing else, only the field can speak: its name, or what the whole column shows.
    """
    if not isinstance(recogniser, FoldedRecogniser):
        return ()
    prefilter = re.compile(recogniser.prefilter)
    if words_pattern(recogniser.context_words).search(words_of(context)):
        return (prefilter,)
    if recogniser.evidence is not None and SERIES + recogniser.evidence in context:
        return (prefilter,)
    series = recogniser.series
    if bare and series is not None and NO_SERIES + series.kind in context and SERIES + series.kind not in context:
        return None
    if not recogniser.needs_context:
        return (prefilter,)
    if recogniser.field_only:
        return None
    return (prefilter, re.compile(f"(?i:{words_expression(recogniser.context_words, bounded=False)})"))


def _are_apart(results: Sequence[RecognizerResult]) -> bool:
    """Whether no two of the results share a character, so that none can contain another."""
    ordered = sorted((result.start, result.end) for result in results)
    return all(before[1] <= after[0] for before, after in pairwise(ordered))
