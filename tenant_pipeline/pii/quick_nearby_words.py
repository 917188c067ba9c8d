"""The decision of NearbyWordsEnhancer without cutting a text into words where its letters decide already.

Cutting is most of the cost of a match in running text, above all in Thai. It is not needed where none of the
recogniser's context words is anywhere in the text, nor where one stands so close before the match that it is within
reach however the text is cut: a token has at least one character. Only what lies between asks for the tokens.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nearby_words import NearbyWordsEnhancer, words_expression, words_of, words_pattern

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
        field = words_of(context)
        for result in raw_results:
            metadata: dict[str, Any] = result.recognition_metadata
            recogniser = by_id[metadata[RecognizerResult.RECOGNIZER_IDENTIFIER_KEY]]
            if result.score >= _MOST_BOOSTED or not recogniser.context:
                continue
            if metadata.get(RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY):
                continue
            words = tuple(recogniser.context)
            undecided = [recogniser]
            if comparable and not words_pattern(words).search(field):
                if result.end - result.start == len(text) or not _anywhere(words).search(folded):
                    continue
                reach = max(0, result.start - self.context_prefix_count)
                close = words_pattern(words).search(folded, reach)
                if close and close.end() <= result.start:
                    # Its own words stand in for the field's: the rule and its boost stay in one place.
                    super().enhance_using_context(text, [result], nlp_artifacts, undecided, [close[0]])
                    continue
            super().enhance_using_context(text, [result], nlp_artifacts, undecided, context)
        return raw_results


@lru_cache(maxsize=256)
def _anywhere(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(words_expression(words, bounded=False))
