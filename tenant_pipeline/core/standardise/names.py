"""Names: one way of writing each, and the key under which two spellings of a name are the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import opencc

from tenant_pipeline.core.standardise.characters import clean, half_width, something_left, western_digits
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

_THAI_PREFIX = re.compile(r"^(?:จังหวัด|อำเภอ|กิ่งอำเภอ|เขต|ตำบล|แขวง|จ\.|อ\.|ต\.)\s*(?=\S)")
_ENGLISH_PREFIX = re.compile(
    r"^(?:changwat|jangwat|province of|amph(?:oe|ur|or)|ampur|king amphoe|khet|tamb(?:on|ol)|tumbon|khwaeng"
    r"|(?:sub-?\s?)?district of)\.?\s+(?=\S)"
)
_ENGLISH_SUFFIX = re.compile(r"(?<=\S)\s+(?:(?:sub-?\s?)?district|province)$")
_CHINESE_SUFFIX = re.compile(r"(?<=..)(?:府|县|分区|区|镇)$")

_LEGAL_FORMS = (
    re.compile(r"^(?:บริษัท|บมจ\.?|บจก\.?|บจ\.|ห้างหุ้นส่วนจำกัด|ห้างหุ้นส่วนสามัญ|หจก\.?|หสน\.?)\s*(?=\S)"),
    re.compile(r"(?<=\S)\s*จำกัด\s*(?:\(\s*มหาชน\s*\))?$"),
    re.compile(
        r"(?<=\S)[\s,]+(?:(?:public )?company limited|(?:(?:public )?co\.?,?\s*)?ltd\.?|limited"
        r"|pcl\.?|plc\.?|inc\.?|incorporated|corp\.?|corporation|llc\.?|l\.l\.c\.|llp\.?|gmbh|limited partnership"
        r"|(?:pte\.?|pty\.?)\s*ltd\.?)(?:\s*\((?:thailand|public)\))?$"
    ),
    re.compile(r"(?<=.)(?:股份有限公司|有限责任公司|有限公司|集团公司)$"),
)
"""Legal forms of a company in Thai, English and (simplified) Chinese; each is taken off when something remains."""


def standardise_name(value: str, context: Context) -> Standardised:
    """A name in NFC, half-width, Thai marks in order, white space collapsed; its case and script stay as they are.

    Raises Unreadable when the text has neither a letter nor a digit.
    """
    name = something_left(clean(half_width(value)))
    if not any(character.isalnum() for character in name):
        raise Unreadable("name-without-letters", "The name has neither a letter nor a digit.")
    return Standardised(name, "name")


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    """OpenCC's traditional-to-simplified converter: its tables take time to load, once."""
    return opencc.OpenCC("t2s")


def to_simplified(text: str) -> str:
    """Traditional Chinese characters as simplified ones."""
    return str(_converter().convert(text))


class _Telling(dict[int, str]):
    """What becomes of a character in a key: those that tell names apart stay (letters, digits, vowel signs and tone
    marks), others go. Filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = self[code] = character if unicodedata.category(character)[0] in "LNM" else ""
        return kept


_TELLING = _Telling()


def name_key(value: str, lang: str) -> str:
    """The key under which names of one language are looked for: equal keys, most likely the same name.

    Punctuation and spacing are dropped from what `without_generic_words` leaves, between digits too. "" when nothing
    is left to compare.
    """
    return without_generic_words(value, lang).translate(_TELLING)


def without_generic_words(value: str, lang: str) -> str:
    """A name of that language as its own words.

    Case, width and digit forms are folded, traditional Chinese becomes simplified, and what only says what kind of
    thing is named is taken off: administrative prefixes (`อำเภอ`, `Khet`, `District`) and legal forms
    (`บริษัท … จำกัด`, `Co., Ltd.`, `有限公司`).
    """
    text = clean(western_digits(half_width(value))).casefold()
    if lang.startswith("zh") or not (lang or text.isascii()):
        text = to_simplified(text)
        text = _CHINESE_SUFFIX.sub("", text)
    for form in _LEGAL_FORMS:
        text = form.sub("", text)
    for affix in (_THAI_PREFIX, _ENGLISH_PREFIX, _ENGLISH_SUFFIX):
        text = affix.sub("", text)
    return text
