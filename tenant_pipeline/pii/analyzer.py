"""Find personal data in a text, or in all distinct values of a column.

Presidio's AnalyzerEngine decides; what is here only keeps it from being asked in vain. Each entity type has a superset
test that runs over a whole column at once, and the engine is asked for the types that a value might hold. Where a
trained model is configured the superset test does not cover it, and every value is put to the engine.
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerResult

from tenant_pipeline.pii.direct_engine import DirectEngine
from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nearby_words import SERIES, NearbyWordsEnhancer, words_expression, words_of, words_pattern
from tenant_pipeline.pii.nlp_engine import BLANK_CONFIGURATION, LANGUAGES, BlankNlpEngine, build_nlp_engine
from tenant_pipeline.pii.readings import HIDING, Reading, other_readings
from tenant_pipeline.pii.recognisers.folded import THRESHOLD, FoldedRecogniser
from tenant_pipeline.pii.recognisers.registry import RECOGNISERS, STRUCTURAL_ENTITIES, build_registry

_QUESTIONS = 2_000
"""So many texts are put to an analyser of another process at once; fewer are answered here."""

_COLUMN = 200
"""From this many values on, compiling the superset test for a whole column is cheaper than testing each value."""

_THAI = re.compile(r"[\u0e00-\u0e7f]")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, order=True)
class Found:
    """A stretch of a text that is personal data: offsets, entity type and score (0.5–1)."""

    start: int
    end: int
    entity_type: str
    score: float


def language_of(text: str) -> str:
    """The language whose tokeniser fits: Thai where a Thai letter stands, else Chinese where a Han one does."""
    if text.isascii():
        return "en"
    if _THAI.search(text):
        return "th"
    return "zh" if _HAN.search(text) else "en"


Question = tuple[str, list[str] | None]
Answerer = Callable[[Iterable[list[Question]], tuple[str, ...]], Iterator[list[tuple[Found, ...]]]]


@dataclass(frozen=True)
class PiiAnalyzer:
    """Presidio's engine with a superset test before it. It remembers no text: it serves every tenant of the process."""

    engine: AnalyzerEngine
    prefiltered: bool
    elsewhere: Answerer | None = None
    """Analysers like this one in other processes, for columns of many values."""

    def find(self, text: str, context: Sequence[str] = ()) -> tuple[Found, ...]:
        """What is personal in `text`, from left to right without overlaps.

        `context` are words about the whole text, such as its field's name.
        """
        entities = None
        if self.prefiltered:
            entities = _held_by_any(text, tuple(context))
            if not entities:
                return ()
        return self._ask(text, tuple(context), entities)

    def find_all(
        self, values: pa.Array, context: Sequence[str] = (), sought: frozenset[str] | None = None
    ) -> dict[int, tuple[Found, ...]]:
        """What is personal in each of the distinct `values` (strings, nulls allowed), by position; others absent.

        With `sought`, those values are absent too in which none of these entity types is found by itself.
        """
        words = tuple(context)
        if not self.prefiltered:
            everything = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False)).tolist()
            return self._found(values, dict.fromkeys(everything), words)
        asked = dict(self._may_hold(values, words))
        if sought is not None:
            first = {index: [each for each in every if each in sought] for index, every in asked.items()}
            first = {index: held for index, held in first.items() if held}
            # Another finding may cover one that is sought: whether it stands, only all of them together show.
            asked = {index: asked[index] for index in self._found(values, first, words)}
        return self._found(values, asked, words)

    def _found(
        self, values: pa.Array, asked: Mapping[int, list[str] | None], context: tuple[str, ...]
    ) -> dict[int, tuple[Found, ...]]:
        texts = values.take(pa.array(list(asked), type=pa.int64())).to_pylist()
        answers = self._answers(list(zip(texts, asked.values(), strict=True)), context)
        return {index: found for index, found in zip(asked, answers, strict=True) if found}

    def answer(self, questions: Sequence[Question], context: tuple[str, ...]) -> list[tuple[Found, ...]]:
        """What is personal in each text, of the entity types that are asked for; None asks for all."""
        return [self._ask(text, context, entities) for text, entities in questions]

    def find_by_engine_alone(self, text: str, context: Sequence[str] = ()) -> tuple[Found, ...]:
        """The same answer from plain Presidio with all recognisers: the measure that `find` is held against."""
        return self._ask(text, tuple(context), None)

    def _may_hold(self, values: pa.Array, context: tuple[str, ...]) -> Mapping[int, list[str]]:
        entities: dict[int, list[str]] = {}
        if len(values) < _COLUMN:
            for index, text in enumerate(values.to_pylist()):
                if text is not None and (held := _held_by_any(text, context)):
                    entities[index] = held
            return entities
        folded = folded_values(values)
        for entity, expressions in _expressions(context).items():
            mask = None
            for conjunction in expressions:
                fits = None
                for expression in conjunction:
                    one = pc.match_substring_regex(folded, expression)
                    fits = one if fits is None else pc.and_(fits, one)
                mask = fits if mask is None else pc.or_(mask, fits)
            for index in np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False)).tolist():
                entities.setdefault(index, []).append(entity)
        hiding = pc.fill_null(pc.match_substring_regex(values, HIDING), False).to_numpy(zero_copy_only=False)
        for index in np.flatnonzero(hiding).tolist():
            if held := _held_by_any(values[index].as_py(), context):
                entities[index] = held
        return dict(sorted(entities.items()))

    def _answers(self, questions: list[Question], context: tuple[str, ...]) -> Iterable[tuple[Found, ...]]:
        if self.elsewhere is None or len(questions) <= _QUESTIONS:
            return self.answer(questions, context)
        parts = (questions[start : start + _QUESTIONS] for start in range(0, len(questions), _QUESTIONS))
        return chain.from_iterable(self.elsewhere(parts, context))

    def _ask(self, text: str, context: tuple[str, ...], entities: list[str] | None) -> tuple[Found, ...]:
        words = list(context)
        results = self.engine.analyze(text, language_of(text), entities=entities, context=words)
        for reading in other_readings(text):
            found = self.engine.analyze(reading.text, language_of(reading.text), entities=entities, context=words)
            results = [*results, *_placed(found, reading)]
        return without_overlaps(results, text)


def build_analyzer(
    nlp_configuration: Mapping[str, Any] = BLANK_CONFIGURATION, further: Sequence[EntityRecognizer] = ()
) -> PiiAnalyzer:
    """The analyser over all recognisers and `further` ones, with the NLP engine that the configuration describes.

    A trained model's own entities are found too. Raises SettingsError when a model is not installed.
    """
    nlp_engine = build_nlp_engine(nlp_configuration)
    registry = build_registry()
    for recogniser in further:
        registry.add_recognizer(recogniser)
    blank = isinstance(nlp_engine, BlankNlpEngine)
    if not blank:
        registry.add_nlp_recognizer(nlp_engine)
    engine = DirectEngine(
        registry=registry,
        nlp_engine=nlp_engine,
        supported_languages=list(LANGUAGES),
        default_score_threshold=THRESHOLD,
        context_aware_enhancer=NearbyWordsEnhancer(),
    )
    return PiiAnalyzer(engine, prefiltered=blank and not further)


def folded_values(values: pa.Array) -> pa.Array:
    """The folded form of an array of strings; ASCII ones, usually most, are left as they are."""
    foreign = pc.fill_null(pc.match_substring_regex(values, r"[^\x00-\x7f]"), False)
    if not pc.any(foreign).as_py():
        return values
    folded = [None if text is None else fold(text) for text in pc.filter(values, foreign).to_pylist()]
    return pc.replace_with_mask(values, foreign, pa.array(folded, type=values.type))


def without_overlaps(results: Sequence[RecognizerResult], text: str) -> tuple[Found, ...]:
    """Results as stretches that do not overlap: the surer, then the longer wins; what it leaves of another stays found.

    The rest of an overlapped result is kept where it holds letters or digits, so that nothing found is left raw.
    """
    ranked = sorted(results, key=lambda r: (-r.score, r.start - r.end, r.start, r.entity_type))
    taken: list[Found] = []
    for result in ranked:
        for start, end in _uncovered(result.start, result.end, taken):
            whole = (start, end) == (result.start, result.end)
            if whole or sum(character.isalnum() for character in text[start:end]) > 1:
                insort(taken, Found(start, end, result.entity_type, result.score))
    return tuple(taken)


def _placed(results: Sequence[RecognizerResult], reading: Reading) -> Iterator[RecognizerResult]:
    """What was found in a reading, where it stands in the text itself.

    Of what only decoding shows, names are left: an address of a page names many that are public, and no stage decodes
    letters of other alphabets.
    """
    for result in results:
        if not reading.decoded or result.entity_type in STRUCTURAL_ENTITIES:
            start, end = reading.place(result.start, result.end)
            yield RecognizerResult(result.entity_type, start, end, result.score)


def _uncovered(start: int, end: int, taken: Sequence[Found]) -> list[tuple[int, int]]:
    """What of a stretch is left beside those taken, which are in order and do not overlap."""
    pieces = []
    for other in taken[bisect_right(taken, start, key=lambda found: found.end) :]:
        if other.start >= end:
            break
        if start < other.start:
            pieces.append((start, other.start))
        start = other.end
    if start < end:
        pieces.append((start, end))
    return pieces


_Conjunction = tuple[str, ...]


def _expressions(context: tuple[str, ...]) -> dict[str, list[_Conjunction]]:
    """Per entity type: alternatives, each a conjunction of expressions that a folded text must fit."""
    by_entity: dict[str, list[_Conjunction]] = {}
    for recogniser in RECOGNISERS:
        conjunction = _conjunction(recogniser, context)
        if conjunction is not None:
            by_entity.setdefault(recogniser.entity, []).append(conjunction)
    return by_entity


def _conjunction(recogniser: type[FoldedRecogniser], context: tuple[str, ...]) -> _Conjunction | None:
    own = tuple(expression for expression in (recogniser.prefilter, recogniser.second_prefilter) if expression)
    if not recogniser.needs_context or words_pattern(recogniser.context_words).search(words_of(context)):
        return own
    if recogniser.evidence is not None and SERIES + recogniser.evidence in context:
        return own
    if recogniser.field_only:
        return None
    return (*own, f"(?i:{words_expression(recogniser.context_words, bounded=False)})")


@dataclass(frozen=True)
class _Test:
    alternatives: tuple[tuple[re.Pattern[str], ...], ...]

    def search(self, folded: str) -> bool:
        return any(all(pattern.search(folded) for pattern in patterns) for patterns in self.alternatives)


def _held_by_any(text: str, context: tuple[str, ...]) -> list[str]:
    """The entity types that a text, read in whatever way, might hold."""
    held = _held_by(fold(text), context)
    for reading in other_readings(text):
        held += [entity for entity in _held_by(fold(reading.text), context) if entity not in held]
    return held


def _held_by(folded: str, context: tuple[str, ...]) -> list[str]:
    """The entity types that one folded text might hold."""
    return [entity for entity, test in _tests(context).items() if test.search(folded)]


@lru_cache(maxsize=64)
def _tests(context: tuple[str, ...]) -> dict[str, _Test]:
    return {
        entity: _Test(tuple(tuple(re.compile(part) for part in parts) for parts in alternatives))
        for entity, alternatives in _expressions(context).items()
    }
