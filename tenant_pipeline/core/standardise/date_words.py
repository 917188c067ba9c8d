"""The words of dates in Thai, English and Chinese: months, weekdays, eras, numerals."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenant_pipeline.core.standardise.characters import coded

_ENGLISH_MONTHS = (
    "jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?", "aug(?:ust)?",
    "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?",
)  # fmt: skip
_THAI_MONTHS = (
    "มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน",
    "กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม", "พฤศจิกายน", "ธันวาคม",
)  # fmt: skip
_THAI_ABBREVIATIONS = ("มค", "กพ", "มีค", "เมย", "พค", "มิย", "กค", "สค", "กย", "ตค", "พย", "ธค")

ENGLISH_MONTH = rf"(?<![a-z])(?:{'|'.join(_ENGLISH_MONTHS)})(?![a-z])\.?"
THAI_MONTH = "|".join(
    [*_THAI_MONTHS, *(rf"{short[:-1]}\.?\s?{short[-1]}\.?(?![ก-ฮ])" for short in _THAI_ABBREVIATIONS)]
)
MONTH = rf"(?P<month>{ENGLISH_MONTH}|{THAI_MONTH})"
"""A month's name as a regular expression over folded text."""

_MONTHS = tuple(
    (re.compile(rf"(?:{english})\.?|{thai}|{short[:-1]}\.?\s?{short[-1]}\.?"), number)
    for number, (english, thai, short) in enumerate(
        zip(_ENGLISH_MONTHS, _THAI_MONTHS, _THAI_ABBREVIATIONS, strict=True), start=1
    )
)

_BUDDHIST = re.compile(r"พุทธศักราช|พ\.?\s?ศ\.?(?![ก-ฮ])|(?<![a-z])b\.?\s?e\.?(?![a-z])|佛历|佛曆")
_COMMON = re.compile(r"คริสต์ศักราช|ค\.?\s?ศ\.?(?![ก-ฮ])|(?<![a-z])(?:a\.?\s?d|c\.?\s?e)\.?(?![a-z])|公元|西元")
_WEEKDAYS = re.compile(
    r"(?:วัน)?(?:จันทร์|อังคาร|พุธ|พฤหัสบดี|พฤหัสฯ?|ศุกร์|เสาร์|อาทิตย์)(?:ที่)?|เมื่อวันที่|วันที่|(?:ประจำ)?เดือน|ประจำปี|^ปี"
    r"|^(?:จ|อ|พ|พฤ|ศ|ส|อา)\.\s*(?=[0-9])"
    r"|(?<![a-z])(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|satur|sat|sun)(?:day)?(?![a-z])\.?,?"
    r"|\(?(?:星期|周|週|礼拜)[一二三四五六日天]\)?"
)
_THAI_DIGIT = re.compile("[๐-๙]")
_ORDINALS = re.compile(r"(?<=[0-9])(?:st|nd|rd|th)(?![a-z])|(?<![a-z])(?:of|the)(?![a-z])")
_CHINESE_DATE = re.compile(r"[〇零一二三四五六七八九十]+(?=年|月|日|号|號)")
_CHINESE_DIGITS = dict(zip("〇零一二三四五六七八九", "00123456789", strict=True))


@dataclass(frozen=True)
class DateText:
    """A date's text folded for reading: small letters, western digits, no weekdays; and the era that it names.

    `era` is `buddhist`, `common`, `both` or "". `thai_digits` says whether it was written in them: nobody writes a
    Common Era year of two digits so.
    """

    text: str
    era: str = ""
    thai_digits: bool = False


def fold(value: str) -> DateText:
    """What of `value` tells the date, and in which era."""
    text = _CHINESE_DATE.sub(lambda match: _chinese_number(match[0]), coded(value).lower())
    era = ""
    for pattern, name in ((_BUDDHIST, "buddhist"), (_COMMON, "common")):
        if pattern.search(text):
            era = "both" if era else name
            text = pattern.sub(" ", text)
    text = _ORDINALS.sub(" ", _WEEKDAYS.sub(" ", text))
    return DateText(" ".join(text.split()).strip(" ,"), era, bool(_THAI_DIGIT.search(value)))


def month_number(name: str) -> int:
    """1–12 for a month's name that MONTH matched."""
    return next(number for pattern, number in _MONTHS if pattern.fullmatch(name))


def is_thai_month(name: str) -> bool:
    """Whether the month is written in Thai: a two-digit year beside it is a Buddhist one."""
    return not name.isascii()


def _chinese_number(numerals: str) -> str:
    """Chinese numerals of a date as digits: position by position for years, with 十 for months and days."""
    if "十" not in numerals:
        return "".join(_CHINESE_DIGITS[numeral] for numeral in numerals)
    tens, _, ones = numerals.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return numerals
    return str(int(_CHINESE_DIGITS.get(tens, "1")) * 10 + int(_CHINESE_DIGITS.get(ones, "0")))
