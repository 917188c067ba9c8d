"""Screen locators. Positions in them are numbers of ours; sheet names, JSON keys and message ids are the source's.

Nearly every row has a locator of its own, so the positions are taken out first: what is left is the same for
thousands of rows and is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.pseudonym import REPLACEMENT
from tenant_pipeline.pii.column_evidence import number_evidence, person_evidence, sampled
from tenant_pipeline.pii.findings import Place
from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nearby_words import field_words
from tenant_pipeline.pii.readings import seen
from tenant_pipeline.pii.replacement import Replacer

_POSITIONS = r"((?:^o|row=|page=|line=|item=|table=)[0-9]{1,9}|/[0-9]{1,8}(?:$|/))"
_NUMBERS = r"[=/\n][0-9]{9,19}(?:$|[/&\n])"
_NUMBER = re.compile(r"(?<=[=/\n])([0-9]{9,19})(?=\Z|[/&\n])")
"""A sheet's name, a key or an id that is a bare number: what all of them show tells whether it is a person's."""

_BETWEEN = re.compile(r"[#/=&\n]")
_APART = re.compile(rf"({REPLACEMENT.pattern}|^[a-z-]+=|[/=])")
"""Between the names in a part of a locator: the steps of a path, the reader's own words, what has been replaced."""

_SAMPLE = 2_000
"""Of so many locators without their positions, the names are asked together whether they are persons'."""

_SPLIT = "\n"
_MANY_WORDS = 100
"""So many different words around numbers are not asked together whether one of them says what a number is."""


@dataclass
class LocatorScreen:
    """Replaces personal data in the locators of one table."""

    replacer: Replacer
    place: Place
    persons: tuple[str, ...] = ()
    """What is said of all names in them that they are persons': by those of the tables, and by themselves."""
    _evidence: tuple[str, ...] = ()
    _known: dict[str, str] = field(default_factory=dict)

    def screen(self, locators: pa.Array) -> pa.Array:
        """The locators, with the source's own words in them screened."""
        shapes = pc.replace_substring_regex(locators, _POSITIONS, _SPLIT).unique()
        words = pc.replace_substring_regex(shapes, _NUMBERS, _SPLIT).unique()
        named = self._holds_persons(words)
        if not (self._holds_numbers(shapes, words) or named or self.replacer.analyzer.find_all(words)):
            return locators
        return pa.array([self._one(locator) for locator in locators.to_pylist()], type=locators.type)

    def _holds_numbers(self, shapes: pa.Array, words: pa.Array) -> bool:
        """Whether a bare number in them may be a person's. What this batch says of such numbers is noted."""
        holding = shapes.filter(pc.fill_null(pc.match_substring_regex(shapes, _NUMBERS), False)).to_pylist()
        distinct = dict.fromkeys(number for shape in holding for number in _NUMBER.findall(shape))
        numbers = pa.array(list(distinct), type=pa.string())
        if more := number_evidence(numbers, settled=self._evidence):
            self._evidence = (*self._evidence, *more)
            self._known.clear()
        if len(words) > _MANY_WORDS:
            return bool(holding)
        about = _words_of(words.drop_null().to_pylist())
        return bool(self.replacer.analyzer.find_all(numbers, (about, *self._evidence)))

    def _holds_persons(self, words: pa.Array) -> bool:
        """Whether the names in them are persons': of keys, sheets or elements, in this batch or one before."""
        if not self.persons:
            sample = sampled(words.drop_null(), _SAMPLE).to_pylist()
            names = dict.fromkeys(fold(seen(name)) for text in sample for name in _BETWEEN.split(text))
            self.persons = person_evidence(pa.array(list(names), type=pa.string()))
            if self.persons:
                self._known.clear()
        return bool(self.persons)

    def _one(self, locator: str | None) -> str | None:
        if locator is None:
            return None
        head, separator, tail = locator.partition("#")
        return head + separator + _AND.join(self._part(part) for part in tail.split(_AND))

    def _part(self, part: str) -> str:
        if part not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            pieces = _NUMBER.split(part)
            about = _words_of(pieces[::2])
            pieces[::2] = [self.replacer.text(words, self.place) for words in pieces[::2]]
            numbers = [self.replacer.text(number, self.place, (about, *self._evidence)) for number in pieces[1::2]]
            pieces[1::2] = numbers
            screened = "".join(pieces)
            if self.persons:
                screened = self.replacer.each(screened, _APART, self.place, self.persons)
            self._known[part] = screened
        return self._known[part]


_AND = "&"


def _words_of(pieces: Sequence[str]) -> str:
    """The words around the numbers of a locator, without positions: the same for all rows of a kind."""
    return field_words(re.sub("[0-9]+", " ", " ".join(pieces)))
