"""Raise the score of a match when a word near it, or the name of its field, says what it is.

Presidio's own enhancer compares single lemmas, which never fits Chinese (each character is a token) nor a Thai
compound that the tokeniser splits, and by substring it finds `tel` in `hotel`. This one joins the lemmas before and
after the match and looks for whole Latin words, or any run of Thai or Chinese characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts

from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nlp_engine import LazyNlpArtifacts
from tenant_pipeline.pii.readings import seen

BOOST = 0.35
_BEFORE = 12
_AFTER = 4
_LONGEST = 80


@lru_cache(maxsize=256)
def words_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for any of `words`: Latin ones as whole words, others anywhere; a space fits any short gap."""
    return re.compile(words_expression(words, bounded=True))


def words_expression(words: tuple[str, ...], *, bounded: bool) -> str:
    """The same as text; without bounds it is a superset that RE2, which has no look-around, can run."""
    return "|".join(_expression(word, bounded) for word in sorted(words, key=lambda word: (-len(word), word)))


def _expression(word: str, bounded: bool) -> str:
    expression = r"[\s_.\-]*".join(re.escape(part) for part in word.lower().split())
    if word.isascii() and bounded:
        return rf"(?<![a-z0-9])(?:{expression})(?![a-z])"
    return f"(?:{expression})"


SERIES = "series:"
NO_SERIES = "no-series:"
"""Context that column evidence adds: bare numbers of this column are (not) of a recogniser's kind. Not words."""


def words_of(context: Sequence[str] | None) -> str:
    """The words in a context, a line each, without what column evidence added."""
    return "\n".join(word for word in context or () if not word.startswith((SERIES, NO_SERIES)))


def field_words(field: str) -> str:
    """A field's name as words: `contactPerson_TH` becomes `contact person th`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", fold(seen(field)))
    return re.sub(r"[\s_/.\-]+", " ", spaced).strip().lower()


class NearbyWordsEnhancer(ContextAwareEnhancer):
    """Adds BOOST to a result whose recogniser's context words stand close by, or in the context handed in."""

    def __init__(self) -> None:
        super().__init__(
            context_similarity_factor=BOOST,
            min_score_with_context_similarity=0.0,
            context_prefix_count=_BEFORE,
            context_suffix_count=_AFTER,
        )

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """The results, with the scores of those raised that a nearby word supports."""
        by_id = {recogniser.id: recogniser for recogniser in recognizers}
        field = words_of(context)
        for result in raw_results:
            metadata: dict[str, Any] = result.recognition_metadata or {}
            recogniser = by_id.get(metadata.get(RecognizerResult.RECOGNIZER_IDENTIFIER_KEY))
            if recogniser is None or not recogniser.context:
                continue
            if metadata.get(RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY):
                continue
            pattern = words_pattern(tuple(recogniser.context))
            if pattern.search(field) or pattern.search(_surroundings(result, text, nlp_artifacts)):
                result.score = min(1.0, result.score + BOOST)
        return raw_results


def _surroundings(result: RecognizerResult, text: str, artifacts: NlpArtifacts) -> str:
    """The lemmas around a match as one text, with the gaps that the tokens had."""
    if result.end - result.start == len(text):
        return ""
    offset = 0
    if isinstance(artifacts, LazyNlpArtifacts):
        artifacts, offset = artifacts.near(result.start, result.end)
    starts: Sequence[int] = artifacts.tokens_indices
    if not starts:
        return ""
    first = max(0, bisect_right(starts, result.start - offset) - 1 - _BEFORE)
    last = min(len(starts), bisect_right(starts, result.end - offset - 1) + _AFTER)
    pieces: list[str] = []
    position = starts[first]
    for lemma, start in zip(artifacts.lemmas[first:last], starts[first:last], strict=True):
        pieces.append(" " * min(3, start - position))
        pieces.append(fold(lemma[:_LONGEST]).lower())
        position = start + len(lemma)
    return "".join(pieces)
