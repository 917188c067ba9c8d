"""The decision of NearbyWordsEnhancer without cutting a text into words where its letters decide already.

Cutting is most of the cost of a match in running text, above all in Thai. It is not needed where none of the
recogniser's context words is anywhere in the text, nor where one stands so close before the match that it is within
reach however the text is cut: a token has at least one character. Only what lies between asks for the tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nearby_words import BOOST, NearbyWordsEnhancer, words_expression, words_of, words_pattern

_LONG_WORD = re.compile(r"[^\s\u0e00-\u0e7f\u3400-\u9fff]{60}")
"""The enhancer cuts words of extreme length short: what it then sees is not what stands in the text."""

_MOST_BOOSTED = 1.0


class QuickNearbyWords(NearbyWordsEnhancer):
    """A NearbyWordsEnhancer that asks for a text's tokens only where they can make a difference."""

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
        folded = fold(text).lower()
        comparable = len(folded) == len(text) and not _LONG_WORD.search(folded)
        for result in raw_results:
            metadata: dict[str, Any] = result.recognition_metadata
            recogniser = by_id[metadata[RecognizerResult.RECOGNIZER_IDENTIFIER_KEY]]
            if result.score >= _MOST_BOOSTED or not recogniser.context:
                continue
            if metadata.get(RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY):
                continue
            words = _words(tuple(recogniser.context), tuple(context or ()))
            near = True if words.in_field else self._decided(words, folded, result) if comparable else None
            if near is None:
                super().enhance_using_context(text, [result], nlp_artifacts, [recogniser], context)
            elif near:
                result.score = min(_MOST_BOOSTED, result.score + BOOST)
        return raw_results

    def _decided(self, words: _Words, folded: str, result: RecognizerResult) -> bool | None:
        """Whether a word supports a match, as far as the letters of the text tell; None where only its tokens do."""
        if result.end - result.start == len(folded) or not words.anywhere.search(folded):
            return False
        close = words.whole.search(folded, max(0, result.start - self.context_prefix_count))
        return True if close and close.end() <= result.start else None


@dataclass(frozen=True)
class _Words:
    """A recogniser's context words: as whole words, as a superset, and whether the field's own words hold one."""

    whole: re.Pattern[str]
    anywhere: re.Pattern[str]
    in_field: bool


@lru_cache(maxsize=4096)
def _words(words: tuple[str, ...], context: tuple[str, ...]) -> _Words:
    whole = words_pattern(words)
    anywhere = re.compile(words_expression(words, bounded=False))
    return _Words(whole, anywhere, whole.search(words_of(context)) is not None)
