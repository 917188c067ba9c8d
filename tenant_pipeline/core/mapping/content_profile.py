"""What a field's values look like: the share of a sample that can be read as each kind of value.

Values are read after the PII screen: where a telephone number or an e-mail address stood there may be a keyed
pseudonym or a mask, and its type says what it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenant_pipeline.core.mapping.nothing import says_something
from tenant_pipeline.core.pseudonym import without_replacements
from tenant_pipeline.core.standardise.coordinates import THAILAND_LATITUDES, THAILAND_LONGITUDES
from tenant_pipeline.core.standardise.language import UNDETERMINED, language_by_script
from tenant_pipeline.core.standardise.reading import Context, Unreadable
from tenant_pipeline.core.standardise.stage import standardise_value
from tenant_pipeline.core.statement import Datatype

SAMPLE_ROWS = 2_000
LONGEST_TRIED = 1_000
"""A longer value is running text: nothing else is tried on it."""
WORDS_BESIDE = 16
"""Letters that may stand beside a pseudonym (a label, an extension) in a field of such values."""


class Kind(StrEnum):
    """Kinds of value that can be told by looking at one."""

    EMAIL = "e-mail address"
    URL = "web address"
    POSITION = "pair of coordinates"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"
    TELEPHONE = "telephone number"
    DATE = "date"
    POSTAL_CODE = "postal code"
    ADMINISTRATIVE_CODE = "administrative code"
    AREA = "area with its measure"
    NUMBER = "number"
    PERSON = "person's name that was replaced"
    RUNNING_TEXT = "running text"


@dataclass(frozen=True)
class Profile:
    """A sample of a field: rows looked at, values among them, how many of these read as each kind, and in which script.

    `distinct` says that no value stands twice. Kinds overlap: a postal code is a number, too.
    """

    rows: int
    values: int
    kinds: Mapping[Kind, int]
    languages: Mapping[str, int]
    distinct: bool

    def share(self, kind: Kind) -> float:
        """The share (0–1) of the values that read as `kind`; 0 where there is no value."""
        return self.kinds.get(kind, 0) / self.values if self.values else 0.0

    def language(self, least: float) -> str:
        """The language in whose script at least this share of the values with letters is written, or ""."""
        written = sum(self.languages.values())
        return next((language for language, count in self.languages.items() if count >= least * written), "")


def profile(values: Sequence[str | None]) -> Profile:
    """The profile of a field's sampled values. What says nothing (empty, `-`, `n/a`) is no value."""
    kept = [value.strip() for value in values if value is not None and says_something(value)]
    kinds: Counter[Kind] = Counter()
    languages: Counter[str] = Counter()
    times = Counter(kept)
    for value, count in times.items():
        for kind in kinds_of(value):
            kinds[kind] += count
        language = language_by_script(value[:LONGEST_TRIED])
        if language != UNDETERMINED:
            languages[language] += count
    return Profile(len(values), len(kept), dict(kinds), dict(languages), len(times) == len(kept))


def kinds_of(value: str) -> frozenset[Kind]:
    """All kinds that one value reads as."""
    if len(value) > LONGEST_TRIED:
        return frozenset({Kind.RUNNING_TEXT})
    replaced = {_REPLACED[type_] for type_ in _REPLACEMENT.findall(value) if type_ in _REPLACED}
    if replaced or _REPLACEMENT.search(value):
        left = sum(character.isalnum() for character in without_replacements(value, ""))
        return frozenset(replaced) if left <= WORDS_BESIDE else frozenset({Kind.RUNNING_TEXT})
    return frozenset(kind for kind, test in _TESTS.items() if test(value))


_REPLACEMENT = re.compile(r"⟦([A-Z][A-Z0-9_]*)[:⟧]")
_REPLACED = {"EMAIL_ADDRESS": Kind.EMAIL, "PHONE_NUMBER": Kind.TELEPHONE, "PERSON": Kind.PERSON}
_CONTEXT = Context()
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{2,18}°?")
_DIGIT = re.compile(r"\d")
_DATE_SIGNS = re.compile(r"[-/.年月日\s]|[^\W\d]")
_WEB = re.compile(r"^(?:https?://|www\.)|^[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/\S*)?$", re.IGNORECASE)
_DIALLED = re.compile(r"^[^\d+]*(?:\+|[(]?0)")
"""Numbers are written as they are dialled: digits that begin with neither `+` nor `0` are more often codes and ids."""
_LEAST_DIGITS, _MOST_DIGITS = 3, 60
_SENTENCE = 80


def _reads(datatype: Datatype, value: str) -> bool:
    try:
        standardise_value(datatype, value, _CONTEXT)
    except Unreadable:
        return False
    return True


def _is_telephone(value: str) -> bool:
    digits = len(_DIGIT.findall(value))
    return (
        _LEAST_DIGITS <= digits <= _MOST_DIGITS
        and digits * 2 >= len(value)
        and not _is_date(value)
        and bool(_DIALLED.match(value))
        and _reads(Datatype.TELEPHONE, value)
    )


def _is_date(value: str) -> bool:
    return bool(_DIGIT.search(value) and _DATE_SIGNS.search(value)) and _reads(Datatype.DATE, value)


def _is_degrees(limits: tuple[float, float]) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        return bool(_DEGREES.fullmatch(value)) and limits[0] <= float(value.rstrip("°")) <= limits[1]

    return test


def _is_position(value: str) -> bool:
    return len(_DIGIT.findall(value)) >= _LEAST_DIGITS and _reads(Datatype.GEO, value)


def _has_measure(value: str) -> bool:
    return bool(_DIGIT.search(value)) and any(map(str.isalpha, value)) and _reads(Datatype.AREA, value)


def _is_number(value: str) -> bool:
    return bool(_DIGIT.search(value)) and _reads(Datatype.NUMBER, value)


def _is_code(datatype: Datatype) -> Callable[[str], bool]:
    return lambda value: bool(_DIGIT.search(value)) and _reads(datatype, value)


_TESTS: Mapping[Kind, Callable[[str], bool]] = {
    Kind.EMAIL: lambda value: "@" in value and _reads(Datatype.EMAIL, value),
    Kind.URL: lambda value: bool(_WEB.search(value)) and _reads(Datatype.URL, value),
    Kind.POSITION: _is_position,
    Kind.LATITUDE: _is_degrees((float(THAILAND_LATITUDES[0]), float(THAILAND_LATITUDES[1]))),
    Kind.LONGITUDE: _is_degrees((float(THAILAND_LONGITUDES[0]), float(THAILAND_LONGITUDES[1]))),
    Kind.TELEPHONE: _is_telephone,
    Kind.DATE: _is_date,
    Kind.POSTAL_CODE: _is_code(Datatype.POSTAL_CODE),
    Kind.ADMINISTRATIVE_CODE: _is_code(Datatype.ADMINISTRATIVE_CODE),
    Kind.AREA: _has_measure,
    Kind.NUMBER: _is_number,
    Kind.RUNNING_TEXT: lambda value: len(value) > _SENTENCE,
}
