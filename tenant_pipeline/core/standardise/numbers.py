"""Plain numbers, and amounts with a counter, a scale word or a percent sign."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from tenant_pipeline.core.standardise.characters import coded
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

AMOUNT = r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,40})(?:\.[0-9]{1,40})?"
"""A decimal number, its thousands set apart by commas or not at all."""

_SCALES: Mapping[str, int] = {
    "ร้อย": 10**2, "พัน": 10**3, "หมื่น": 10**4, "แสน": 10**5, "ล้าน": 10**6, "พันล้าน": 10**9,
    "hundred": 10**2, "thousand": 10**3, "k": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9,
    "bn": 10**9, "百": 10**2, "千": 10**3, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8,
}  # fmt: skip
_UNITS: Mapping[str, Mapping[str, Fraction]] = {
    "person": dict.fromkeys(
        [
            "person",
            "persons",
            "people",
            "pax",
            "guest",
            "guests",
            "visitor",
            "visitors",
            "delegate",
            "delegates",
            "seat",
            "seats",
            "attendee",
            "attendees",
            "participant",
            "participants",
            "คน",
            "ท่าน",
            "ราย",
            "ที่นั่ง",
            "ที่",
            "人",
            "位",
            "名",
            "座",
        ],
        Fraction(1),
    ),
    "room": dict.fromkeys(["room", "rooms", "ห้อง", "间", "間", "房间"], Fraction(1)),
    "m": {
        **dict.fromkeys(["m", "metre", "metres", "meter", "meters", "เมตร", "ม.", "米"], Fraction(1)),
        **dict.fromkeys(
            ["km", "kilometre", "kilometres", "kilometer", "kilometers", "กม.", "กม", "กิโลเมตร", "公里"], Fraction(1000)
        ),
        **dict.fromkeys(["cm", "ซม.", "เซนติเมตร", "厘米"], Fraction(1, 100)),
        **dict.fromkeys(["ft", "feet", "foot", "ฟุต", "英尺"], Fraction(3048, 10000)),
    },
    "THB": dict.fromkeys(["thb", "baht", "บาท", "฿", "泰铢", "泰銖"], Fraction(1)),
    "minute": {
        **dict.fromkeys(["min", "mins", "minute", "minutes", "นาที", "分钟"], Fraction(1)),
        **dict.fromkeys(["h", "hr", "hrs", "hour", "hours", "ชั่วโมง", "ชม.", "小时"], Fraction(60)),
    },
}
"""Canonical units, the words they are written with, and how many canonical units one of the word is."""

_UNIT_ALIASES: Mapping[str, str] = {
    "people": "person",
    "persons": "person",
    "metre": "m",
    "meter": "m",
    "rooms": "room",
}
_APPROXIMATE = re.compile(
    r"^(?:approx(?:imately|\.)?|about|around|circa|ca\.|c\.|est\.|~|≈|ประมาณ|ราว ๆ|ราวๆ|ราว|เกือบ|约|約|大约|大約)\s*",
    re.IGNORECASE,
)
_AT_MOST = re.compile(
    r"^(?:up to|max(?:imum|\.)?(?: of)?|at most|ไม่เกิน|สูงสุด|มากที่สุด|รองรับได้(?:ถึง)?|最多|至多)\s*", re.IGNORECASE
)
_AT_LEAST = re.compile(
    r"^(?:>|≥|over|more than|at least|min(?:imum|\.)?|มากกว่า|กว่า|อย่างน้อย|ไม่น้อยกว่า|超过|超過|至少)|"
    r"(?:\+|กว่า|以上|余|多)\s*\D*$",
    re.IGNORECASE,
)
_RANGE = re.compile(r"[0-9]\s*(?:-|–|~|ถึง|\bto\b|至|到)\s*[0-9]", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"^[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?e[+-]?[0-9]{1,2}$", re.IGNORECASE)
_AMOUNT_AND_WORDS = re.compile(rf"^(฿|thb)?\s*({AMOUNT})\s*(.*)$", re.IGNORECASE)


def standardise_number(value: str, context: Context) -> Standardised:
    """A plain decimal in the property's unit: no thousands separators, no trailing zeros, no exponent.

    Reads Thai digits, counters that belong to the property's unit (`1,600 คน`), scale words (`1.5 ล้าน`, `3万`),
    percentages (a share, unless the unit is `percent`), approximations and upper bounds (the rule names them).
    Raises Unreadable for ranges and lower bounds, which are not one number, and for words that it does not know.
    """
    text = coded(value)
    if text.startswith("−"):
        text = "-" + text[1:]
    if _SCIENTIFIC.match(text):
        return Standardised(plain_decimal(Fraction(Decimal(text))), "number-scientific")
    if _RANGE.search(text):
        raise Unreadable("number-is-a-range", "The value is a range of numbers, not one number.")
    if _AT_LEAST.search(text):
        raise Unreadable("number-is-a-lower-bound", "The value says how much it is at least, not how much it is.")
    rule = "number"
    for pattern, name in ((_APPROXIMATE, "number-approximate"), (_AT_MOST, "number-upper-bound")):
        if stripped := pattern.sub("", text):
            rule = name if stripped != text else rule
            text = stripped
    match = _AMOUNT_AND_WORDS.match(re.sub(r"^ร้อยละ\s*(.+)$", r"\1%", text))
    if not match or match[3][:1] in tuple(",.0123456789"):
        raise Unreadable("number-unreadable", "The value is not a decimal number.")
    currency, amount, words = match.groups()
    factor = _factor(words.casefold().strip(), context.unit, has_currency=bool(currency))
    return Standardised(plain_decimal(amount_of(amount) * factor), rule)


def amount_of(text: str) -> Fraction:
    """The exact number that an AMOUNT writes."""
    return Fraction(text.replace(",", ""))


def plain_decimal(number: Fraction, places: int = 12) -> str:
    """`number` as a decimal without exponent or trailing zeros, rounded half to even at `places` decimals."""
    scaled = round(number * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    digits = f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".")
    return f"-{digits}" if scaled < 0 else digits


def _factor(words: str, unit: str | None, *, has_currency: bool) -> Fraction:
    """What the amount is multiplied by for the words behind it. Raises Unreadable for words that do not belong."""
    if has_currency and unit not in (None, "THB"):
        raise Unreadable("number-in-another-unit", "The value carries a currency, the property does not.")
    if words in ("%", "percent", "per cent", "เปอร์เซ็นต์"):
        return Fraction(1) if unit in ("percent", "%") else Fraction(1, 100)
    scale = Fraction(1)
    for word in sorted(_SCALES, key=len, reverse=True):
        rest = words.removeprefix(word)
        glued_latin = rest[:1].isascii() and rest[:1].isalpha() and word.isascii()
        if rest != words and not glued_latin:
            scale, words = Fraction(_SCALES[word]), rest.strip()
            break
    if not words:
        return scale
    known = _UNITS.get(_canonical_unit(unit) or "", {})
    if words in known:
        return scale * known[words]
    if unit is None and any(words in counters and counters[words] == 1 for counters in _UNITS.values()):
        return scale
    raise Unreadable("number-with-unknown-unit", "The number is followed by words that are no unit of the property.")


def _canonical_unit(unit: str | None) -> str | None:
    return _UNIT_ALIASES.get(unit, unit) if unit else None
