"""What every recogniser here is: one of Presidio's that reads folded text and says cheaply when it cannot match.

A subclass names its entity type, yields candidates, and declares a `prefilter`: a regular expression without
look-around (RE2 runs it over whole columns) that fits every folded text in which the recogniser finds anything, and
at times a `second_prefilter` that must fit as well. A recogniser that is sure only near a context word
(`needs_context`) is left out where neither field nor text has one; `evidence` is what a column may say in its stead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from presidio_analyzer import LocalRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nearby_words import NO_SERIES, SERIES

START = r"(?:(?<![0-9A-Za-z])|(?<=(?i:tel))|(?<=(?i:id))|(?<=(?i:no))|(?<=(?i:phone))|(?<=(?i:mobile)))(?<![0-9][.:])"
"""Where a number may begin: not inside a number, a decimal, a time or a Latin word, unless that word announces it.

`\\b` would fail after a Thai or Chinese letter.
"""

FLOAT_TAIL = r"\.0+(?![0-9A-Za-z]|\.[0-9])"
"""What stands behind the digits where a column of whole numbers was written as one of floats."""

SHORT_FLOAT_TAIL = r"\.0(?![0-9A-Za-z]|\.[0-9])"
"""The tail as floats have it by themselves: `.00` behind digits is of an amount where no check digit says otherwise."""


def _end(tail: str) -> str:
    return (
        rf"(?![0-9])(?:(?!\.[0-9])|(?<=[0-9]{{9}})(?={tail}))"
        r"(?:(?![A-Za-z])|(?=(?i:ext|line|mail|email|fax|tel|x ?[0-9])))"
    )


END = _end(FLOAT_TAIL)
"""Where it may end. Behind groups of digits, `.00` is of a time of day or an amount."""

END_OF_A_CODE = _end(SHORT_FLOAT_TAIL)
"""Where a number may end that has no check digit."""

THRESHOLD = 0.5
"""A result counts from this score on."""

BARE_KEY = "bare"
"""Metadata of a result that is a whole cell of nothing but digits."""

SERIES_SCORE = 0.8
NO_SERIES_SCORE = 0.2


@dataclass(frozen=True)
class Candidate:
    """A stretch of the folded text that may be of the recogniser's type, with the score it has on its own."""

    start: int
    end: int
    score: float
    bare: bool = False


@dataclass(frozen=True)
class BareSeries:
    """How a column of bare digits tells whether it is of this kind: which cells compete, and which are valid.

    Only what could be of this kind competes: a column of several kinds says of each of them what it holds.
    """

    kind: str
    population: re.Pattern[str]
    valid: Callable[[str], bool]


class FoldedRecogniser(LocalRecognizer):
    """A recogniser over folded text. Subclasses set the class attributes and `candidates`."""

    entity: ClassVar[str]
    prefilter: ClassVar[str]
    second_prefilter: ClassVar[str | None] = None
    context_words: ClassVar[tuple[str, ...]] = ()
    needs_context: ClassVar[bool] = False
    field_only: ClassVar[bool] = False
    series: ClassVar[BareSeries | None] = None
    evidence: ClassVar[str | None] = None

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entities=[self.entity], supported_language=language, context=list(self.context_words)
        )

    def load(self) -> None:
        """Nothing to load."""

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Yield what may be of this type in the folded text."""
        raise NotImplementedError

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Presidio's call: the candidates as results, in the offsets of `text`."""
        folded = fold(text)
        return [
            RecognizerResult(
                self.entity,
                candidate.start,
                _with_tail(folded, candidate.end),
                candidate.score,
                recognition_metadata={
                    RecognizerResult.RECOGNIZER_NAME_KEY: type(self).__name__,
                    RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                    BARE_KEY: candidate.bare,
                },
            )
            for candidate in self.candidates(folded)
        ]

    def enhance_using_context(
        self,
        text: str,
        raw_recognizer_results: list[RecognizerResult],
        other_raw_recognizer_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Let what the whole column shows decide on its bare numbers, before words around a match are looked at."""
        if self.series is None or not context:
            return raw_recognizer_results
        for result in raw_recognizer_results:
            if result.recognition_metadata[BARE_KEY]:
                if SERIES + self.series.kind in context:
                    result.score = max(result.score, SERIES_SCORE)
                elif NO_SERIES + self.series.kind in context:
                    result.score = min(result.score, NO_SERIES_SCORE)
        return raw_recognizer_results


def valid_matches(pattern: re.Pattern[str], folded: str, valid: Callable[[str], bool]) -> Iterator[re.Match[str]]:
    """Matches that are valid; after one that is not, the search goes on one character later, not after its end.

    A house number before a national id would otherwise swallow the id's first digits and hide it.
    """
    position = 0
    while match := pattern.search(folded, position):
        if valid(match[0]):
            yield match
            position = match.end()
        else:
            position = match.start() + 1


_TAIL = re.compile(rf"(?<=[0-9]{{6}}){FLOAT_TAIL}")


def _with_tail(folded: str, end: int) -> int:
    """Where a number that ends there ends together with its tail, so that none is left beside what replaces it."""
    tail = _TAIL.match(folded, end) if folded.startswith(".0", end) else None
    return tail.end() if tail else end


_NO_DIGIT = re.compile("[^0-9]")


def digits_of(text: str) -> str:
    """The ASCII digits of a folded text."""
    return _NO_DIGIT.sub("", text)


_FLOAT = re.compile(r"([0-9]+)\.0+")


def bare_number(folded: str) -> str:
    """The digits of a cell that is a whole number and nothing else, also where it was written as a float; else ''."""
    text = folded.strip()
    if ".0" in text and (written := _FLOAT.fullmatch(text)):
        text = written[1]
    return text if text.isdigit() else ""


def is_bare(folded: str, start: int, end: int) -> bool:
    """Whether the stretch is digits only and the whole cell, so that nothing around it says what it is."""
    return bare_number(folded) == folded[start:end]


def inside_url(folded: str, start: int) -> bool:
    """Whether the position lies in a web address, where bare numbers are article ids far more often than phones."""
    head = folded[max(0, start - 300) : start]
    word = re.split(r"[\s<>\"'()]", head)[-1]
    return "://" in word or word.startswith("www.")
