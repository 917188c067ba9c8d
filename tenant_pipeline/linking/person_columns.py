"""The flat columns of a person: names as given and family name, birth date, address, numbers.

People are linked by a score only where a tenant declares that it may be (`features.NEVER_BY_SCORE`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tenant_pipeline.linking.columns import CONTACT_RARITY, ascii_letters, national_digits
from tenant_pipeline.linking.romanisation import sounds
from tenant_pipeline.linking.words import assumed_rarity, packed, plain, words_of

if TYPE_CHECKING:
    from tenant_pipeline.linking.features import Features

PERSON_WEIGHED = ("given", "family", "birth", "street_number", "town", "postcode", "telephone", "email", "number")
PERSON_WEIGHED_LISTS = ("street", "names")
_TEXTS = (
    "given_letters", "family_letters", "given_initial", "given_sound", "family_sound", "birth_digits",
    "birth_swapped", "birth_year", "street_letters", "town_letters", "postcode_letters", "region",
    "telephone_digits", "email_letters", "number_letters",
)  # fmt: skip
PERSON_COLUMNS = {
    **dict.fromkeys(PERSON_WEIGHED, "BIGINT[]"),
    **dict.fromkeys(PERSON_WEIGHED_LISTS, "BIGINT[][]"),
    **dict.fromkeys(_TEXTS, "VARCHAR[]"),
}
BIRTH_RARITY = 14.0
"""Bits: a day within some eighty years is one of about 29,000."""
SOUND_KEY = 4


def person_columns(features: Features) -> dict[str, list[Any]]:
    """The columns of one person, with the rarities that the letters make likely."""
    values = features.values
    columns: dict[str, list[Any]] = {}
    given, family = values.get("givenName", []), values.get("familyName", [])
    if not given and not family:
        given, family = _split_names(values.get("words", []), values.get("name", []))
    _name(columns, "given", given)
    _name(columns, "family", family)
    _set(columns, "given_initial", (each[:1] for each in map(_key, given)))
    together = [word for each in (*given, *family) for word in words_of(each)]
    if together:
        columns["names"] = [[packed(each, assumed_rarity(each)) for each in dict.fromkeys(together)]]
    digits = [found for each in values.get("birthDate", []) if (found := "".join(filter(str.isdecimal, each)))]
    _set(columns, "birth", (packed(each, BIRTH_RARITY) for each in digits))
    _set(columns, "birth_digits", digits)
    _set(columns, "birth_swapped", (f"{each[:4]}{each[6:8]}{each[4:6]}" for each in digits if len(each) == 8))
    _set(columns, "birth_year", (each[:4] for each in digits if len(each) == 8))
    streets = [words for each in values.get("address", []) if (words := words_of(each))]
    _set(columns, "street_number", (packed(f"#{each}", assumed_rarity(each)) for each in _numbers(streets)))
    lettered = [[word for word in each if not word[0].isdecimal()] for each in streets]
    columns |= {"street": [[packed(word, assumed_rarity(word)) for word in each] for each in lettered if each]}
    _set(columns, "street_letters", (ascii_letters("".join(each)) for each in lettered if each))
    for column, property_, rarity in (("town", "addressLocality", 6.0), ("postcode", "postalCode", 7.0)):
        _set(columns, column, (packed(_key(each), rarity) for each in values.get(property_, [])))
        _set(columns, f"{column}_letters", (_key(each) for each in values.get(property_, [])))
    _set(columns, "region", map(_key, values.get("addressRegion", [])))
    numbers = [national_digits(each) for each in values.get("telephone", [])]
    _set(columns, "telephone", (packed(each, CONTACT_RARITY) for each in numbers))
    _set(columns, "telephone_digits", (each for each in numbers if each.isdecimal()))
    _set(columns, "email", (packed(each.casefold(), CONTACT_RARITY) for each in values.get("email", [])))
    _set(columns, "email_letters", (_key(each.partition("@")[0]) for each in values.get("email", [])))
    _set(columns, "number", (packed(_key(each), CONTACT_RARITY) for each in values.get("taxID", [])))
    _set(columns, "number_letters", map(_key, values.get("taxID", [])))
    return {column: each for column, each in columns.items() if each}


def person_keys(features: Features) -> list[str]:
    """The keys under which a person is looked for in bulk: each survives an error in all that it leaves out."""
    columns = person_columns(features)

    def first(column: str, length: int) -> list[str]:
        return [each[:length] for each in columns.get(column, []) if each]

    given, family = first("given_letters", 20), first("family_letters", 20)
    sounds_ = sorted({each[:SOUND_KEY] for each in (*first("given_sound", 8), *first("family_sound", 8))})
    births, towns = first("birth_digits", 8), first("town_letters", 20)
    keys = [f"birth {each}" for each in (*births, *first("birth_swapped", 8))]
    keys += [f"number {each}" for each in first("number_letters", 20)]
    keys += [f"telephone {each}" for each in first("telephone_digits", 20)]
    keys += [f"email {each}" for each in first("email_letters", 30)]
    keys += [f"names {' '.join(sorted((one, other)))}" for one in given for other in family]
    keys += [f"sounds {' '.join(sounds_)}"] if len(sounds_) > 1 else []
    names = [*given, *family]
    keys += [f"name-year {name[:5]} {year}" for name in names for year in first("birth_year", 4)]
    keys += [f"name-day {name[:3]} {day[4:]}" for name in names for day in births if len(day) == 8]
    keys += [f"name-town {name[:5]} {town[:8]}" for name in names for town in towns]
    keys += [f"name-postcode {name[:4]} {code}" for name in names for code in first("postcode_letters", 10)]
    keys += [
        f"address {number} {street[:6]}"
        for number in columns.get("street_number", [])
        for street in columns.get("street_letters", [])
    ]
    keys += [f"street {each[:12]} {town[:5]}" for each in columns.get("street_letters", []) for town in towns]
    return list(dict.fromkeys(keys))


def _split_names(words: Iterable[str], names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Given and family names of names written in one: the first word and the last."""
    texts = [each.split(" ", 1)[1] for each in words] or [each.partition(":")[2] for each in names]
    pieces = [each.split() for each in texts if each]
    return [each[0] for each in pieces], [each[-1] for each in pieces if len(each) > 1]


def _name(columns: dict[str, list[Any]], column: str, values: Iterable[str]) -> None:
    keys = [key for each in values if (key := _key(each))]
    _set(columns, column, (packed(each, assumed_rarity(each)) for each in keys))
    _set(columns, f"{column}_letters", keys)
    _set(columns, f"{column}_sound", (sound for each in keys if (sound := sounds(each))))


def _numbers(streets: Iterable[Iterable[str]]) -> Iterable[str]:
    return (word for words in streets for word in words if word[0].isdecimal())


def _key(value: str) -> str:
    return ascii_letters("".join(each for each in plain(value) if each.isalnum()))


def _set(columns: dict[str, list[Any]], column: str, values: Iterable[Any]) -> None:
    columns[column] = list(dict.fromkeys(each for each in values if each))
