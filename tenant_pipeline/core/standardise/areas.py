"""Areas in Thai, metric, imperial and Chinese measures, as square metres."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from tenant_pipeline.core.standardise.characters import coded
from tenant_pipeline.core.standardise.numbers import AMOUNT, amount_of, plain_decimal
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

RAI, NGAN, SQUARE_WAH = Fraction(1600), Fraction(400), Fraction(4)
"""Square metres of the Thai measures (Weights and Measures Act B.E. 2542: 1 rai = 4 ngan = 400 square wah)."""

SQUARE_METRES: Mapping[str, tuple[Fraction, str]] = {
    "rai": (RAI, r"ไร่|rais?\b|莱"),
    "ngan": (NGAN, r"งาน|ngaa?ns?\b"),
    "square wah": (
        SQUARE_WAH,
        r"ตารางวา|ตร\.?\s?ว(?:า|\.)?|วา|(?:(?:sq\.?|square|talang|tarang)\s*)?wah?s?\b|平方哇",
    ),
    "square kilometre": (
        Fraction(10**6),
        r"ตารางกิโลเมตร|ตร\.?\s?กม\.?|km(?:²|2|\^2)|sq\.?\s?km\b\.?|square kilomet(?:re|er)s?\b|平方公里",
    ),
    "hectare": (Fraction(10**4), r"เฮกตาร์|เฮกแตร์|ha\b|hectares?\b|公顷|公頃"),
    "square foot": (
        Fraction(9290304, 10**8),
        r"ตารางฟุต|ตร\.?\s?ฟ(?:ุต|\.)|sq\.?\s?f(?:ee)?t\b\.?|square f(?:oo|ee)t\b|ft(?:²|2|\^2)|平方英尺",
    ),
    "acre": (Fraction(40468564224, 10**7), r"เอเคอร์|acres?\b|ac\b|英亩|英畝"),
    "mu": (Fraction(2000, 3), r"亩|畝|\bmu\b"),
    "square metre": (
        Fraction(1),
        r"ตารางเมตร|ตร\.?\s?ม(?:\.|เตร)?|m(?:²|2|\^2)|㎡|sq\.?\s?m(?:et(?:re|er)s?)?\b\.?"
        r"|square met(?:re|er)s?\b|平方米|平方公尺|平米",
    ),
}
"""Each measure: how many square metres it is, and the words it is written with."""

_MEASURE = re.compile(
    rf"\s*({AMOUNT})\s*(?:{'|'.join(f'({words})' for _, words in SQUARE_METRES.values())})[\s,]*(?:and\s|และ|又)?",
    re.IGNORECASE,
)
_THAI_MEASURES = ("rai", "ngan", "square wah")
_TITLE_DEED = re.compile(r"^([0-9]{1,6})-([0-3])-([0-9]{1,2}(?:\.[0-9]{1,4})?)\s*(?:ไร่|rai)?$", re.IGNORECASE)
_BARE = re.compile(rf"^({AMOUNT})$")
_APPROXIMATE = re.compile(r"^(?:approx(?:imately|\.)?|about|around|c\.|~|≈|ประมาณ|ราว|约|約|大约)\s*", re.IGNORECASE)
_DECIMALS = 6


def standardise_area(value: str, context: Context) -> Standardised:
    """Square metres as a plain decimal of at most six decimals.

    Reads one measure, a sum of Thai ones in falling order (`2 ไร่ 1 งาน 50 ตร.ว.`), the title deed's form `2-1-50`
    (rai-ngan-square wah), and a bare number, taken as square metres. Raises Unreadable for negative amounts, ranges
    and measures that it does not know.
    """
    text = coded(value)
    stripped = _APPROXIMATE.sub("", text)
    suffix = "-approximate" if stripped != text else ""
    if bare := _BARE.match(stripped):
        area, rule = amount_of(bare[1]), "area-square-metre"
    elif deed := _TITLE_DEED.match(stripped):
        area, rule = sum_of_thai_measures(*(amount_of(part) for part in deed.groups())), "area-title-deed"
    else:
        area, rule = _sum(stripped)
    if area < 0:
        raise Unreadable("area-negative", "An area is not negative.")
    return Standardised(plain_decimal(area, _DECIMALS), rule + suffix)


def sum_of_thai_measures(rai: Fraction, ngan: Fraction, square_wah: Fraction) -> Fraction:
    """Square metres of so many rai, ngan and square wah."""
    return rai * RAI + ngan * NGAN + square_wah * SQUARE_WAH


def _sum(text: str) -> tuple[Fraction, str]:
    names = list(SQUARE_METRES)
    total, position, found = Fraction(0), 0, list[int]()
    while position < len(text):
        match = _MEASURE.match(text, position)
        if not match:
            raise Unreadable("area-unreadable", "The value is not an area in a known measure.")
        measure = next(index for index, words in enumerate(match.groups()[1:]) if words is not None)
        total += amount_of(match[1]) * SQUARE_METRES[names[measure]][0]
        found.append(measure)
        position = match.end()
    if not found:
        raise Unreadable("area-unreadable", "The value is not an area in a known measure.")
    if len(found) > 1 and (found != sorted(set(found)) or found[-1] >= len(_THAI_MEASURES)):
        raise Unreadable("area-ambiguous", "The value names several measures that do not add up to one area.")
    rule = "area-thai-measures" if found[0] < len(_THAI_MEASURES) else f"area-{names[found[0]].replace(' ', '-')}"
    return total, rule
