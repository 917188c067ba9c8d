"""How a name sounds, roughly: the same for a Thai name and the many ways of writing it in Latin letters.

Romanisations of Thai differ in vowels, in aspiration (ph, th, kh) and in doubled letters, and Thai consonants sound
differently at the end of a syllable. So vowels are dropped and consonants taken in classes wide enough that initial
and final sounds of one letter fall together (after the sounds of the Royal Thai General System of Transcription,
1999). The result narrows a search and weighs a little; it is far too coarse to decide alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_THAI_CLASSES = {
    "K": "กขฃคฅฆ",
    "G": "ง",
    "T": "จฉชซฌฎฏฐฑฒดตถทธศษส",
    "N": "ญณนรลฬฤ",
    "P": "บปผฝพฟภ",
    "M": "ม",
    "Y": "ย",
    "W": "ว",
    "H": "หฮ",
}
_CLASS_OF_THAI = {letter: name for name, letters in _THAI_CLASSES.items() for letter in letters} | {"ำ": "M"}
_THAI_CONSONANT, _CLASSLESS = re.compile("[\u0e01-\u0e2e]"), re.compile(f"[^{''.join(_CLASS_OF_THAI)}]+")
_TO_CLASSES = str.maketrans(_CLASS_OF_THAI)
_LATIN = (
    ("ng", "G"),
    ("kh|ck|gh|[kgqc](?!h)", "K"),
    ("ch|sh|th|ts|tch|[tdjszx]", "T"),
    ("ph|[pbf]", "P"),
    ("[nrl]", "N"),
    ("m", "M"),
    ("[wv]", "W"),
    ("y", "Y"),
    ("h", "H"),
)
_LATIN_CLASSES = re.compile("|".join(f"(?P<{name}>{pattern})" for pattern, name in _LATIN))
_SILENT_THAI = re.compile(".[ิุ]?\u0e4c")
_LEADING_H = re.compile("ห(?=[งญนมยรลว])")
_SILENT_RO = re.compile("([สศ])ร(?=[ีะ้])")
_INITIAL_YO = re.compile("ญ(?=[ะ-ู])|(?<=ใ)ญ")
_DOUBLE_RO = re.compile("รร(?=[ก-ฮ])")
_FINAL_DOUBLE_RO = re.compile("รร(?![ก-ฮ])")
_WEAK = re.compile("[YWH]")
_REPEATED = re.compile(r"(.)(?=\1)")


@lru_cache(maxsize=65_536)
def sounds(name_key: str) -> str:
    """The consonant classes of a name key, Thai or Latin, in their order; "" for any other script.

    Semivowels and h are left out, since they are written as vowels as often as not, and repetitions stand once.
    """
    if _THAI_CONSONANT.search(name_key):
        text = _SILENT_THAI.sub("", name_key)
        text = _LEADING_H.sub("", text)
        text = _FINAL_DOUBLE_RO.sub("น", _DOUBLE_RO.sub("", text)).replace("ทร", "ท")
        text = _INITIAL_YO.sub("ย", _SILENT_RO.sub(r"\1", text))
        classes = _CLASSLESS.sub("", text).translate(_TO_CLASSES)
    else:
        plain = unicodedata.normalize("NFD", name_key)
        if not plain or not (plain.isascii() or all(character.isascii() for character in plain if character.isalpha())):
            return ""
        classes = "".join([match.lastgroup or "" for match in _LATIN_CLASSES.finditer(plain)])
    return _REPEATED.sub("", _WEAK.sub("", classes))
