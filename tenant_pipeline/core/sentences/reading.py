"""A kept sentence in the language of whoever reads it: its template is found, and what fills it goes along.

What no template makes (what a person wrote, what an earlier version said otherwise) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial

from tenant_pipeline.core.sentences.catalogue import CATALOGUE, TRANSLATED
from tenant_pipeline.core.sentences.saying import PLACEHOLDER, say

LANGUAGES = ("en", *TRANSLATED)

Labels = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By kind and id, what the contracts call it in each language."""
Tell = Callable[[str], str]
"""A sentence in the language of its reader."""

_FIGURE = r"(?:[Uu]nder )?[0-9][0-9.,]*(?: ?%)?"
_IDS = r"\w+(?:, \w+)*"
_PARTS = {
    "sentence": r".+",
    "list": r".+",
    "word": r"[A-Za-z-]+",
    "share": rf"none of the {_FIGURE}|all {_FIGURE}|{_FIGURE} of the {_FIGURE} \({_FIGURE}\)",
    "records": rf"{_FIGURE} (?:record is|records are)",
}
"""The kinds that are of the catalogue themselves, by what they look like."""
_UNDER = {"th": "ไม่ถึง {figure}", "zh": "不到 {figure}"}
_COMMA = {"th": ", ", "zh": "、"}
_DEEPEST = 6
"""Sentences stand in each other so deep (a dimension's, because of three things, each with its share), and whatever a
source has named its fields, no deeper."""


def in_language(sentence: str, language: str, labels: Labels) -> str:
    """The sentence in one of LANGUAGES; as it is where it is of no template, and in a language that is none of them."""
    if language not in TRANSLATED:
        return sentence
    return _found(sentence, language, labels) or sentence


def teller(language: str, labels: Labels) -> Tell:
    """What tells sentences in this language."""
    return partial(in_language, language=language, labels=labels)


def in_english(sentence: str) -> str:
    """The sentence as it was made: a Tell for English."""
    return sentence


def _found(sentence: str, language: str, labels: Labels, depth: int = 0) -> str | None:
    if depth > _DEEPEST:
        return None
    place = TRANSLATED.index(language)
    # Within another, a sentence may begin small.
    known = CATALOGUE.get(sentence) or CATALOGUE.get(sentence[:1].upper() + sentence[1:])
    if known is not None:
        return known[place]
    for template, pattern in _patterns():
        match = pattern.fullmatch(sentence)
        if match is None:
            continue
        values = {}
        for name, kind in PLACEHOLDER.findall(template):
            value = _value(match[name], kind, language, labels, depth + 1)
            if value is None:
                break
            values[name] = value
        else:
            return say(CATALOGUE[template][place], **values)
    return None


def _value(text: str, kind: str, language: str, labels: Labels, depth: int) -> str | None:
    """What a placeholder was filled with, in the language; None where that is no known sentence, or no known id."""
    if kind == "figure":
        under, _, figure = text.rpartition("nder ")
        return say(_UNDER[language], figure=figure) if under else text
    if kind == "list":
        return _listed(language, (_found(each, language, labels, depth) for each in text.split(", ")))
    if kind in _PARTS:
        return _found(text, language, labels, depth)
    if not kind:
        return text
    return _listed(language, (labels.get(kind, {}).get(each, {}).get(language) for each in text.split(", ")))


def _listed(language: str, parts: Iterable[str | None]) -> str | None:
    """The parts as a list; None where one of them is not known."""
    known = []
    for part in parts:
        if part is None:
            return None
        known.append(part)
    return _COMMA[language].join(known)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The templates that have placeholders, those that say most by themselves first."""
    templates = (each for each in CATALOGUE if PLACEHOLDER.search(each))
    ordered = sorted(templates, key=lambda each: (-len(PLACEHOLDER.sub("", each)), each))
    return tuple((each, _pattern(each)) for each in ordered)


def _pattern(template: str) -> re.Pattern[str]:
    parts, end = [], 0
    for placeholder in PLACEHOLDER.finditer(template):
        kind = placeholder["kind"]
        filled = ".+" if kind is None else _FIGURE if kind == "figure" else _PARTS.get(kind, _IDS)
        parts += [re.escape(template[end : placeholder.start()]), f"(?P<{placeholder['name']}>{filled})"]
        end = placeholder.end()
    first = template[:1]
    if first.isalpha():
        parts[0] = f"[{first.upper()}{first.lower()}]{parts[0][1:]}"
    return re.compile("".join((*parts, re.escape(template[end:]))), re.DOTALL)
