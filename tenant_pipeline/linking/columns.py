"""The flat columns of a place, organisation or event: what its comparisons stand on, normalised once a record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import phonenumbers

from tenant_pipeline.core.distance import position
from tenant_pipeline.core.standardise.names import name_key
from tenant_pipeline.linking.romanisation import sounds
from tenant_pipeline.linking.streets import house_numbers, street_words
from tenant_pipeline.linking.words import assumed_rarity, packed, plain, weighed, words_of

if TYPE_CHECKING:
    from tenant_pipeline.linking.features import Features

WEIGHED_COLUMNS = (
    "latin_key", "thai_key", "han_key", "sound", "telephone", "site", "page", "email", "area", "region", "town",
    "postcode",
)  # fmt: skip
WEIGHED_LISTS = ("latin_words", "thai_words", "han_words", "street")
"""Columns whose values carry a rarity, singly and in lists."""
_TEXTS = (
    "latin_letters", "thai_letters", "sound_letters", "name_numbers", "area_letters", "region_letters", "town_letters",
    "postcode_letters", "country", "house_numbers", "telephone_digits", "start",
)  # fmt: skip
PLACE_COLUMNS = {
    **dict.fromkeys(WEIGHED_COLUMNS, "BIGINT[]"),
    **dict.fromkeys(WEIGHED_LISTS, "BIGINT[][]"),
    **dict.fromkeys(_TEXTS, "VARCHAR[]"),
    "geo": "STRUCT(latitude DOUBLE, longitude DOUBLE, tolerance DOUBLE)[]",
}

TOLERANCE_METRES = {"AdministrativeArea": 3_000.0, "BusStop": 40.0, "Event": 300.0}
"""Within what distance one thing may be placed twice, by type."""
USUAL_TOLERANCE = 75.0
NAME_MOST = 30.0
CONTACT_RARITY = 12.0
"""Bits: a number or a site is as good as unique until it is counted."""
SOUND_BITS_A_CLASS = 2.5
"""Eight consonant classes, unevenly used."""

_HOSTS = (
    "facebook.com fb.com instagram.com twitter.com x.com tiktok.com youtube.com linkedin.com line.me lin.ee weibo.com "
    "wechat.com google.com goo.gl maps.google.com bit.ly linktr.ee tinyurl.com wixsite.com wordpress.com blogspot.com "
    "business.site tripadvisor.com booking.com agoda.com yelp.com foursquare.com wongnai.com trip.com expedia.com "
    "airbnb.com opentable.com ubereats.com grab.com foodpanda.com dianping.com meituan.com wikipedia.org"
)
AREA_RARITY = {"area": 6.0, "region": 4.0, "town": 5.0, "postcode": 6.0}
"""Bits that sharing an area is worth until it is counted how many records are in it."""
LONGEST_CODE = 3
"""Characters: a region that is no longer is a code, which no name can be held against."""
SHARED_HOSTS = frozenset(_HOSTS.split())
"""Hosts where anybody has a page: only the page says something."""

_THAI_LETTER, _HAN_LETTER = re.compile("[\u0e01-\u0e5b]"), re.compile("[\u3400-\u9fff]")
_NUMBER, _NOT_DECIMAL, _NOT_ASCII = re.compile(r"\d+"), re.compile(r"\D+"), re.compile(r"[^\x00-\x7f]+")
_MOVED = {code: code - 0x0E01 + 0x21 for code in range(0x0E01, 0x0E5C)}


def place_columns(features: Features) -> dict[str, list[Any]]:
    """The columns of one record, with the rarities that its letters make likely."""
    values = features.values
    columns: dict[str, list[Any]] = {}
    _names(columns, values.get("name", []), values.get("words", []))
    _areas(columns, "area", values.get("containedInPlace", []))
    regions = values.get("addressRegion", [])
    _areas(columns, "region", [each for each in regions if len(_text(each)) > LONGEST_CODE])
    _areas(columns, "town", values.get("addressLocality", []))
    _contacts(columns, features)
    for address in values.get("address", []):
        text = _text(address)
        _add(columns, "house_numbers", house_numbers(text))
        if words := street_words(text):
            _add(columns, "street", [[weighed(each) for each in words]])
    codes = [_compact(each)[:5] for each in values.get("postalCode", [])]
    _add(columns, "postcode", (packed(each, AREA_RARITY["postcode"]) for each in codes if each))
    _add(columns, "postcode_letters", (ascii_letters(each) for each in codes if each))
    _add(columns, "country", (_compact(each) for each in values.get("addressCountry", [])))
    _add(columns, "start", (each[:10] for each in values.get("startDate", [])))
    tolerance = TOLERANCE_METRES.get(features.type, USUAL_TOLERANCE)
    for geo in values.get("geo", []):
        if position(geo) is not None:
            latitude, _, longitude = geo.partition(",")
            at = {"latitude": float(latitude), "longitude": float(longitude), "tolerance": tolerance}
            _add(columns, "geo", [at])
    return columns


def _names(columns: dict[str, list[Any]], names: Iterable[str], words: Iterable[str]) -> None:
    texts = dict(each.split(" ", 1) for each in words)
    for each in names:
        _, _, key = each.partition(":")
        if key:
            _one_name(columns, key, texts.get(key, key))


def _one_name(columns: dict[str, list[Any]], key: str, text: str) -> None:
    script, letters, found = named(key, text)
    _add(columns, f"{script}_key", [packed(key, min(NAME_MOST, sum(map(assumed_rarity, found))))])
    _add(columns, f"{script}_words", [[weighed(word) for word in found]])
    if script != "han" and letters:
        _add(columns, f"{script}_letters", [letters])
    if sound := sounds(key):
        _add(columns, "sound", [packed(sound, SOUND_BITS_A_CLASS * len(sound))])
        _add(columns, "sound_letters", [sound])
    _add(columns, "name_numbers", _NUMBER.findall(text)[:1])


@lru_cache(maxsize=65_536)
def named(key: str, text: str) -> tuple[str, str, tuple[str, ...]]:
    """The script of a name, its letters one ASCII character each, and its words (those of its text, else its key)."""
    script = "thai" if _THAI_LETTER.search(key) else "han" if _HAN_LETTER.search(key) else "latin"
    return script, ascii_letters(key), words_of(text) or (key,)


def ascii_letters(key: str) -> str:
    """A key with one ASCII character for each letter, so that both engines compare letters: Thai ones are moved."""
    return _NOT_ASCII.sub("", plain(key).translate(_MOVED))


def _areas(columns: dict[str, list[Any]], column: str, values: Iterable[str]) -> None:
    for value in values:
        key, letters = _area(value)
        if key:
            _add(columns, column, [packed(key, AREA_RARITY[column])])
            if letters:
                _add(columns, f"{column}_letters", [letters])


@lru_cache(maxsize=65_536)
def _area(value: str) -> tuple[str, str]:
    language, _, text = _with_language(value)
    key = name_key(text, language) or _compact(text)
    return key, ascii_letters(key)


def _contacts(columns: dict[str, list[Any]], features: Features) -> None:
    for number in features.values.get("telephone", []):
        digits = national_digits(number)
        _add(columns, "telephone", [packed(digits, CONTACT_RARITY)])
        if digits.isdecimal():
            _add(columns, "telephone_digits", [digits])
    for url in features.values.get("url", []):
        host, page = site_and_page(url)
        if host:
            _add(columns, "site", [packed(host, CONTACT_RARITY)])
        if page:
            _add(columns, "page", [packed(page, CONTACT_RARITY)])
    _add(columns, "email", (packed(each.casefold(), CONTACT_RARITY) for each in features.values.get("email", [])))


@lru_cache(maxsize=65_536)
def national_digits(number: str) -> str:
    """The national significant number: its digits without country code and trunk zero; other text as it stands.

    A number that is not international is taken as written for its own country. No country code begins with another
    (ITU-T E.164).
    """
    digits = _NOT_DECIMAL.sub("", number)
    if len(digits) < 5 or sum(map(str.isalpha, number)) > 3:
        return number
    if number.lstrip().startswith("+"):
        lengths = (length for length in (1, 2, 3) if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
        digits = digits[next(lengths, 0) :]
    return digits.lstrip("0") or digits


@lru_cache(maxsize=65_536)
def site_and_page(url: str) -> tuple[str, str]:
    """The host of a web address (without www; "" where anybody has a page) and the page ("" for a site's front)."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
    except ValueError:
        return "", url
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    path = parts.path.rstrip("/").casefold()
    query = f"?{parts.query}" if parts.query else ""
    shared = host in SHARED_HOSTS or host.partition(".")[2] in SHARED_HOSTS
    return ("" if shared else host), (f"{host}{path}{query}" if path or query else "")


def _add(columns: dict[str, list[Any]], column: str, values: Iterable[Any]) -> None:
    kept = columns.setdefault(column, [])
    kept += [each for each in values if each not in kept]
    if not kept:
        del columns[column]


def _with_language(value: str) -> tuple[str, str, str]:
    language, colon, text = value.partition(":")
    return (language, colon, text) if colon and len(language) in (0, 2, 7) else ("", "", value)


def _text(value: str) -> str:
    return _with_language(value)[2]


def _compact(value: str) -> str:
    return "".join(each for each in value.casefold() if each.isalnum())
