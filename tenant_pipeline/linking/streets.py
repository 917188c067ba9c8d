"""The street part of an address: its house numbers, and its telling words in one spelling."""

from __future__ import annotations

import re
from functools import lru_cache

from tenant_pipeline.linking.words import plain, words_of

_NUMBER = re.compile(r"(?<![\w/-])(\d+(?:[/-]\d+)*)(?:[a-z])?(?![\w])")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_THAI_MARKS = re.compile("บ้านเลขที่|เลขที่|หมู่ที่|หมู่|ถนน|ซอย|ตำบล|แขวง|อำเภอ|เขต|จังหวัด|ถ\\.|ซ\\.|ต\\.|อ\\.|จ\\.|ม\\.")
_CHINESE_MARKS = re.compile("[省市区县镇乡村路街道巷弄号楼室]")

ABBREVIATIONS = {
    "st": "street", "str": "street", "ave": "avenue", "av": "avenue", "rd": "road", "blvd": "boulevard",
    "bd": "boulevard", "dr": "drive", "ln": "lane", "pl": "place", "sq": "square", "ct": "court", "crt": "court",
    "pkwy": "parkway", "pky": "parkway", "hwy": "highway", "ter": "terrace", "terr": "terrace", "cres": "crescent",
    "cir": "circle", "crct": "circuit", "cct": "circuit", "trl": "trail", "mt": "mount", "ft": "fort", "fl": "floor",
    "ste": "suite", "apt": "apartment", "bldg": "building", "n": "north", "s": "south", "e": "east", "w": "west",
    "ne": "northeast", "nw": "northwest", "se": "southeast", "sw": "southwest", "th": "thanon", "t": "tambon",
    "a": "amphoe", "m": "moo", "mu": "moo", "c": "calle", "r": "rue", "av.": "avenue", "jl": "jalan", "btw": "between",
    "bet": "between", "cnr": "corner", "first": "1th", "second": "2th", "third": "3th", "fourth": "4th", "fifth": "5th",
    "sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th", "centre": "center",
}  # fmt: skip
"""What is abbreviated in addresses, as USPS Publication 28, appendix C, lists it, and in Thai and French usage."""
_MARKS = """
    street avenue road boulevard drive lane place square court parkway highway terrace crescent circle circuit
    trail floor suite apartment building north south east west northeast northwest southeast southwest thanon
    tambon amphoe changwat khet khwaeng moo soi calle rue via strasse straße platz plaza jalan unit shop no the of
    and at near off between corner level room de la del di van
"""
_MARKING = frozenset(_MARKS.split())


@lru_cache(maxsize=65_536)
def house_numbers(address: str) -> tuple[str, ...]:
    """The first number of an address that is no ordinal: the house's, as a rule."""
    found = _NUMBER.findall(_ORDINAL.sub(" ", plain(address)))
    return tuple(each.lstrip("0") or each for each in found[:1])


@lru_cache(maxsize=65_536)
def street_words(address: str) -> tuple[str, ...]:
    """The telling words of an address, abbreviations written out; what only marks a street or part is left out."""
    text = plain(address)
    numbers = {part for each in house_numbers(address) for part in each.replace("-", "/").split("/")}
    if not text.isascii():
        text = _CHINESE_MARKS.sub(" ", _THAI_MARKS.sub(" ", text))
    text = _ORDINAL.sub(r" \1th ", text)
    found = []
    for word in words_of(text):
        written = ABBREVIATIONS.get(word, word)
        if written not in numbers and written not in _MARKING:
            found.append(f"{written}th" if written.isdecimal() else written)
    return tuple(dict.fromkeys(found))
