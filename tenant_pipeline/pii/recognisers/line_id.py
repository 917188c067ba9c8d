"""LINE ids: the handle after `LINE ID`, ไลน์ or `line:`, or in a field so named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from presidio_analyzer import RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from tenant_pipeline.pii.nearby_words import words_of, words_pattern
from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_HANDLE = r"@?[0-9A-Za-z][0-9A-Za-z._-]{2,29}"
_END = r"(?![0-9A-Za-z@])"
_THAI_LINE = r"(?<!ออน)(?<!แอร์)ไลน์"
_ANNOUNCED = re.compile(
    rf"(?:(?<![0-9A-Za-z])(?i:line[ _-]?id|id[ _-]?line)|{_THAI_LINE} ?(?:ไอดี|(?i:id))|ไอดี ?(?:ไลน์|(?i:line)))"
    rf"\s*(?:[:=]|คือ|is)?\s*(?P<id>{_HANDLE}){_END}"
    rf"|(?:(?<![0-9A-Za-z])(?i:line)|{_THAI_LINE})\s?(?::\s*|(?=@)|@\s?)(?P<marked>{_HANDLE}){_END}"
    rf"|{_THAI_LINE}\s?(?P<thai>(?=[A-Za-z._-]*[0-9._-])[A-Za-z][0-9A-Za-z._-]{{3,29}}){_END}"
)
_WHOLE_CELL = re.compile(rf"\s*({_HANDLE})\s*")
_WORDS = ("line id", "lineid", "id line", "line", "ไลน์", "ไลน์ไอดี", "ไอดีไลน์")
_NO_HANDLES = frozenset({"official", "account", "oa", "notify", "pay", "today", "application", "app", "group", "id"})


class LineIdRecogniser(FoldedRecogniser):
    """A handle that its text announces; the announcing word stays, the handle is the finding."""

    entity = "LINE_ID"
    prefilter = r"(?i:line)|ไลน์"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Handles after an announcing word."""
        for match in _ANNOUNCED.finditer(folded):
            group = match.lastgroup or "id"
            handle = match[group].lower().lstrip("@")
            if handle not in _NO_HANDLES and re.search("[a-z]", handle):
                yield Candidate(match.start(group), match.end(group), 0.75)


class LineIdFieldRecogniser(FoldedRecogniser):
    """The whole cell of a field named for LINE ids."""

    entity = "LINE_ID"
    prefilter = r"[0-9A-Za-z]"
    context_words = _WORDS
    needs_context = True
    field_only = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """The cell, when it has a handle's form."""
        if match := _WHOLE_CELL.fullmatch(folded):
            yield Candidate(match.start(1), match.end(1), 0.1)

    def enhance_using_context(
        self,
        text: str,
        raw_recognizer_results: list[RecognizerResult],
        other_raw_recognizer_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Sure when the field's name says LINE; words in the cell itself do not count."""
        named = words_pattern(_WORDS).search(words_of(context)) is not None
        for result in raw_recognizer_results:
            result.score = 0.75 if named else 0.1
            result.recognition_metadata[RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY] = True
        return raw_recognizer_results
