"""How surely a field means a property: what its name says, weighed against what its values are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tenant_pipeline.core.mapping.content_profile import LONGEST_TRIED, Kind, Profile, kinds_of
from tenant_pipeline.core.mapping.field_names import KnownNames, NameCandidate, by_name
from tenant_pipeline.core.mapping.nothing import says_something
from tenant_pipeline.core.standardise.reading import Context, Unreadable
from tenant_pipeline.core.standardise.stage import standardise_value
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import Vocabulary

LATITUDE, LONGITUDE = "latitude", "longitude"
UNCHECKED = 0.85
"""What a name counts when there is no value to check it against."""
UNREADABLE = 0.3
"""What a name still counts when none of the values reads as what it promises."""
OUT_OF_PLACE = 0.5
"""What a name counts when the values are plainly of another kind."""
SUPPOSED = 0.97
"""What a name counts whose language only the script of the values tells: a field that states it comes first."""
AGAINST_THE_NAME = 0.6
"""What the values count for a property when the name speaks of another."""
PLAINLY, LEAST_SHARE, ONE_LANGUAGE = 0.8, 0.6, 0.9

AREA_REFERENCE = "AdministrativeArea:identifier:{value}"
_BY_CONTENT: Sequence[tuple[Kind, str, float]] = (
    (Kind.EMAIL, "email", 0.8),
    (Kind.URL, "url", 0.75),
    (Kind.POSITION, "geo", 0.8),
    (Kind.TELEPHONE, "telephone", 0.75),
    (Kind.LATITUDE, LATITUDE, 0.7),
    (Kind.LONGITUDE, LONGITUDE, 0.7),
    (Kind.POSTAL_CODE, "postalCode", 0.5),
    (Kind.AREA, "floorSize", 0.5),
    (Kind.RUNNING_TEXT, "description", 0.5),
    (Kind.DATE, "startDate", 0.3),
    (Kind.DATE, "openingDate", 0.3),
    (Kind.ADMINISTRATIVE_CODE, "containedInPlace", 0.25),
    (Kind.PERSON, "contactPoint", 0.3),
)
"""Kinds of value, the property they speak for without a name, and how much: a date alone says not which date."""

_CHECKED = frozenset(
    {
        Datatype.TELEPHONE,
        Datatype.EMAIL,
        Datatype.URL,
        Datatype.GEO,
        Datatype.DATE,
        Datatype.NUMBER,
        Datatype.AREA,
        Datatype.POSTAL_CODE,
        Datatype.BOOLEAN,
        Datatype.REFERENCE,
    }
)
_REPLACED_KINDS = {Datatype.TELEPHONE: Kind.TELEPHONE, Datatype.EMAIL: Kind.EMAIL}
_NO_TEXT = (Kind.EMAIL, Kind.URL, Kind.TELEPHONE, Kind.DATE, Kind.POSITION, Kind.NUMBER)
_FREE_TEXT = frozenset({Datatype.NAME, Datatype.ADDRESS, Datatype.TEXT})
_ANYTHING = frozenset({"contactPoint", "text", "description"})
_DEGREES = {LATITUDE: 90.0, LONGITUDE: 180.0}


@dataclass(frozen=True)
class Candidate:
    """One thing that a field may mean, all weighed."""

    property: str
    lang: str
    confidence: float
    reasons: tuple[str, ...]
    template: str = "{value}"
    share: float | None = None


def weigh(
    name: str, values: Sequence[str | None], found: Profile, known: KnownNames, vocabulary: Vocabulary
) -> list[Candidate]:
    """What a field may mean by name and content, the surest first; each property and language once."""
    times = Counter(value.strip() for value in values if value is not None and says_something(value))
    by_content = {
        property_: (weight * found.share(kind), kind)
        for kind, property_, weight in _BY_CONTENT
        if found.share(kind) >= LEAST_SHARE
    }
    best: dict[tuple[str, str], Candidate] = {}
    for candidate in _all(name, times, found, known, vocabulary, by_content):
        place = (candidate.property, candidate.lang)
        if place not in best or candidate.confidence > best[place].confidence:
            best[place] = candidate
    return sorted(best.values(), key=lambda candidate: -candidate.confidence)


def _all(
    name: str,
    times: Mapping[str, int],
    found: Profile,
    known: KnownNames,
    vocabulary: Vocabulary,
    by_content: Mapping[str, tuple[float, Kind]],
) -> Iterator[Candidate]:
    named = set()
    for candidate in by_name(name, known):
        named.add(candidate.meaning.property)
        yield _weighed(candidate, times, found, vocabulary, by_content)
    without_name = "by name: it speaks of something else" if named else "by name: not known"
    for property_, (confidence, kind) in by_content.items():
        if property_ not in named:
            yield Candidate(
                property_,
                "",
                round(confidence * (AGAINST_THE_NAME if named else 1), 4),
                (without_name, f"by content: {_told(found.share(kind), found)} read as a {kind}"),
                AREA_REFERENCE if property_ == "containedInPlace" else "{value}",
                found.share(kind),
            )


def _weighed(
    named: NameCandidate,
    times: Mapping[str, int],
    found: Profile,
    vocabulary: Vocabulary,
    by_content: Mapping[str, tuple[float, Kind]],
) -> Candidate:
    property_ = named.meaning.property
    reasons = [named.reason]
    confidence, share = named.score, None
    if not found.values:
        confidence *= UNCHECKED
        reasons.append("by content: the sample has no value to check it against")
    else:
        share = _readable(property_, times, vocabulary)
        if share is not None:
            confidence *= UNREADABLE + (1 - UNREADABLE) * share
            reasons.append(f"by content: {_told(share, found)} can be read as {property_}")
        elif (other := _plainly_other(property_, found, vocabulary)) is not None:
            confidence *= OUT_OF_PLACE
            reasons.append(
                f"by content: {_told(found.share(other), found)} are each a {other}, which is no {property_}"
            )
        more, _ = by_content.get(property_, (0.0, None))
        confidence = 1 - (1 - confidence) * (1 - more)
    lang = named.lang
    definition = vocabulary.properties.get(property_)
    if definition is None or not definition.per_language:
        lang = ""
    elif not named.stated and found.languages:
        lang = found.language(ONE_LANGUAGE)
        confidence *= SUPPOSED
        reasons.append(
            f"by content: nearly all is written in the script of {lang}"
            if lang
            else "by content: written in several scripts, so each value's script tells its language"
        )
    return Candidate(property_, lang, round(confidence, 4), tuple(reasons), named.meaning.template, share)


def _readable(property_: str, times: Mapping[str, int], vocabulary: Vocabulary) -> float | None:
    """The share of the values that the property's own standardiser reads; None when it reads any text."""
    if property_ in _DEGREES:
        return _share(times, lambda value: _is_within(value, _DEGREES[property_]))
    definition = vocabulary.properties.get(property_)
    if definition is None or definition.datatype not in _CHECKED:
        return None
    datatype = definition.datatype
    if datatype is Datatype.REFERENCE:
        return _share(times, lambda value: Kind.ADMINISTRATIVE_CODE in kinds_of(value))
    context = Context("", definition, vocabulary.properties)

    def reads(value: str) -> bool:
        if "⟦" in value:
            return _REPLACED_KINDS.get(datatype) in kinds_of(value)
        if len(value) > LONGEST_TRIED:
            return False
        try:
            standardise_value(datatype, value, context)
        except Unreadable:
            return False
        return True

    return _share(times, reads)


def _share(times: Mapping[str, int], holds: Callable[[str], bool]) -> float:
    return sum(count for value, count in times.items() if holds(value)) / sum(times.values())


def _is_within(value: str, limit: float) -> bool:
    try:
        return abs(float(value.rstrip("°"))) <= limit
    except ValueError:
        return False


def _plainly_other(property_: str, found: Profile, vocabulary: Vocabulary) -> Kind | None:
    """The kind that nearly all values are of, where the property asks for words of another sort."""
    definition = vocabulary.properties.get(property_)
    if definition is None or definition.datatype not in _FREE_TEXT or property_ in _ANYTHING:
        return None
    if definition.datatype is Datatype.NAME and found.share(Kind.RUNNING_TEXT) >= PLAINLY:
        return Kind.RUNNING_TEXT
    return next((kind for kind in _NO_TEXT if found.share(kind) >= PLAINLY), None)


def _told(share: float, found: Profile) -> str:
    return f"{round(share * found.values)} of {found.values} sampled values ({share:.0%})"
