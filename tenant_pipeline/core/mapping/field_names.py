"""What a field's name says it means: a declared synonym, one in other words, or one nearly spelled so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from tenant_pipeline.core.mapping.field_words import (
    ADDRESS_WORDS,
    DATE_WORDS,
    ESTRANGING,
    LANGUAGE_WORDS,
    NAMING_WORDS,
    POSITION_FIELDS,
    QUALIFIERS,
    TYPE_WORDS,
    made_of,
    words_of,
)
from tenant_pipeline.core.mapping.mapping import MappingRules, field_key

SYNONYM, DECLARED, WITH_LANGUAGE, QUALIFIED, NEAR, ESTRANGED = 1.0, 0.9, 0.95, 0.85, 0.8, 0.2
PARTLY, PARTLY_BY_LENGTH = 0.4, 0.25
"""How much a name that has unknown words beside a known one counts: more, the more of it the known one is."""
NEAREST = 85.0
"""The least likeness (0–100) of a misspelled name to a synonym."""
SHORTEST_NEAR = 5
_AREA = "AdministrativeArea"
_SHORTEST_LATIN, _SHORTEST_OTHER = 3, 2
_MOST_WORDS, _LONGEST_NAME = 12, 120

_QUALIFYING = frozenset(map(field_key, QUALIFIERS)) | frozenset(map(field_key, LANGUAGE_WORDS))
_ESTRANGING = frozenset(map(field_key, ESTRANGING))
_ADDRESS = frozenset(map(field_key, ADDRESS_WORDS))
_DATES = frozenset({"openingDate", "startDate", "endDate", "datePublished", "validThrough"})
_DATE_WORDS = frozenset(map(field_key, DATE_WORDS))
_NAMING = frozenset(map(field_key, NAMING_WORDS))
_LANGUAGES = {field_key(word): language for word, language in LANGUAGE_WORDS.items()}
_TYPES = {field_key(word): type_ for word, type_ in TYPE_WORDS.items()}


@dataclass(frozen=True)
class Meaning:
    """What a declared field name means. `latitude` and `longitude` are halves of a position, not properties."""

    property: str
    lang: str = ""
    template: str = "{value}"


@dataclass(frozen=True)
class NameCandidate:
    """One thing that a field's name may mean, how surely, and why in words.

    `stated` says that a word of the name states the language; otherwise `lang` is that of the declared name.
    """

    meaning: Meaning
    lang: str
    score: float
    reason: str
    stated: bool = False


@dataclass(frozen=True)
class KnownNames:
    """Every declared field name by its folded form: the synonyms, and the fields of the declared mappings."""

    synonyms: Mapping[str, Meaning]
    declared: Mapping[str, tuple[Meaning, str]]

    def find(self, key: str) -> Meaning | None:
        """What a folded name means, whoever declares it."""
        found = self.declared.get(key)
        return self.synonyms.get(key) or (found[0] if found else None)


def known_names(rules: MappingRules) -> KnownNames:
    """The names that these rules declare.

    Fields that a rule cuts or looks up mean nothing without their table, and what names an administrative area in a
    register of areas does not name a thing that lies in it.
    """
    synonyms = {field_key(name): Meaning("geo") for name in POSITION_FIELDS}
    for synonym in reversed(rules.synonyms):
        synonyms.update({field_key(name): Meaning(synonym.property, synonym.lang) for name in synonym.fields})
    declared: dict[str, tuple[Meaning, str]] = {}
    for mapping in rules.mappings:
        for rule in mapping.rules:
            names_the_area = mapping.type == _AREA and rule.property in ("name", "identifier")
            if rule.first or rule.lookup is not None or names_the_area:
                continue
            for name in rule.fields:
                declared.setdefault(field_key(name), (Meaning(rule.property, rule.lang, rule.template), mapping.id))
    return KnownNames(synonyms, declared)


def by_name(name: str, known: KnownNames) -> list[NameCandidate]:
    """What a field may mean by its name alone, the surest first; each property and language once."""
    best: dict[tuple[str, str], NameCandidate] = {}
    for candidate in _candidates(name, known):
        place = (candidate.meaning.property, candidate.lang)
        if place not in best or candidate.score > best[place].score:
            best[place] = candidate
    return sorted(best.values(), key=lambda candidate: -candidate.score)


def type_by_name(name: str) -> str | None:
    """The type that the words beside a name say it is: a venue's, a hotel's, an organisation's, an event's."""
    key = field_key(name)
    said = [word for word in _TYPES if word in (words_of(name) if word.isascii() else (key,)) or _holds(key, word)]
    return _TYPES[max(said, key=len)] if said else None


def _holds(key: str, word: str) -> bool:
    return not word.isascii() and word in key


def _candidates(name: str, known: KnownNames) -> Iterator[NameCandidate]:
    key = field_key(name)
    if not key:
        return
    words = words_of(name)
    language, rest = _without_language(words)
    stated = bool(language or _language_inside(key))
    if key in known.synonyms:
        meaning = known.synonyms[key]
        yield NameCandidate(meaning, meaning.lang, SYNONYM, "by name: it is a declared synonym", stated)
    elif key in known.declared:
        meaning, mapping = known.declared[key]
        yield NameCandidate(meaning, meaning.lang, DECLARED, f"by name: the mapping {mapping} declares it", stated)
    if language and (found := known.find("".join(rest))):
        yield NameCandidate(
            found, language, WITH_LANGUAGE, f"by name: a declared name with a word for the language {language}", True
        )
    yield from _by_parts("".join(words), language, words, known)
    yield from _by_parts("".join(rest), language, rest, known) if language else ()
    if len(key) >= SHORTEST_NEAR and key not in known.synonyms:
        near = process.extractOne(key, known.synonyms.keys(), scorer=fuzz.ratio, score_cutoff=NEAREST)
        if near is not None:
            meaning = known.synonyms[near[0]]
            yield NameCandidate(
                meaning,
                language or meaning.lang,
                NEAR * near[1] / 100,
                f"by name: {near[1]:.0f} % like a declared synonym",
                stated,
            )


def _without_language(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The language that a name's first or last word states, and the words without it."""
    for position, rest in ((-1, words[:-1]), (0, words[1:])):
        if len(words) > 1 and words[position] in _LANGUAGES:
            return _LANGUAGES[words[position]], rest
    last = words[-1] if words else ""
    for word, language in sorted(_LANGUAGES.items(), key=lambda item: -len(item[0])):
        if not word.isascii() and last.endswith(word) and last != word:
            return language, (*words[:-1], last.removesuffix(word))
    return "", words


def _by_parts(key: str, language: str, words: tuple[str, ...], known: KnownNames) -> Iterator[NameCandidate]:
    """Declared names inside the name, by how the rest of it changes what they mean."""
    for start, end in _pieces(key, words):
        meaning = known.find(key[start:end])
        if meaning is None or (start, end) == (0, len(key)):
            continue
        rest = key[:start] + key[end:]
        score, why = _score(meaning, rest, (end - start) / len(key), words, known)
        owner = known.find(rest)
        if key[start:end] in _NAMING and owner is not None and owner.property != "name":
            yield NameCandidate(
                Meaning(owner.property), language or owner.lang, QUALIFIED, "by name: it is the name of a declared one"
            )
            score, why = ESTRANGED, ", but it is the name of something else"
        said = language or _language_inside(rest)
        yield NameCandidate(
            meaning, said or meaning.lang, score, f"by name: a declared name is part of it{why}", bool(said)
        )


def _score(meaning: Meaning, rest: str, share: float, words: tuple[str, ...], known: KnownNames) -> tuple[float, str]:
    other = known.find(rest)
    if meaning.property in _DATES and rest in _DATE_WORDS:
        return QUALIFIED, ", and the rest says that it is a date"
    if meaning.property in ("email", "url") and rest in _ADDRESS:
        return QUALIFIED, ", and no place has such an address"
    if meaning.property == "address" and other is not None and other.property in ("email", "url"):
        return ESTRANGED, ", but it is not the address of a place"
    if any(word in rest for word in _ESTRANGING if not word.isascii()) or any(word in _ESTRANGING for word in words):
        return ESTRANGED, ", but the words beside it make it mean something else"
    if made_of(rest, _QUALIFYING):
        return QUALIFIED, ", and the words beside it do not change what it means"
    return PARTLY + PARTLY_BY_LENGTH * share, ", and the words beside it are not known"


def _language_inside(rest: str) -> str:
    """The language that a Thai or Chinese word somewhere in the rest of a name states."""
    said = [word for word in _LANGUAGES if not word.isascii() and word in rest]
    return _LANGUAGES[max(said, key=len)] if said else ""


def _pieces(key: str, words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where a declared name may begin and end: whole words in a row, or what a Thai or Chinese name begins or ends
    with, since its words are not set apart."""
    starts, position = [], 0
    for word in words:
        starts.append(position)
        position += len(word)
    pieces = {(start, end) for start in starts[:_MOST_WORDS] for end in [*starts[:_MOST_WORDS], len(key)]}
    if not key.isascii():
        pieces |= {place for cut in range(1, min(len(key), _LONGEST_NAME)) for place in ((0, cut), (cut, len(key)))}
    for start, end in sorted(pieces):
        if end - start >= (_SHORTEST_LATIN if key[start:end].isascii() else _SHORTEST_OTHER):
            yield start, end
