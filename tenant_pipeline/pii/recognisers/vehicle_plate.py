"""Number plates of vehicles: Thai (`1กข 1234 กรุงเทพมหานคร`) and Chinese (`京A·12345`).

Thai plates have one or two consonants, often a digit before them, and one to four digits; the province stands below.
Chinese ones have a province's character, a letter and five or six characters without I and O (GA 36-2018).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser
from tenant_pipeline.pii.recognisers.thai_provinces import thai_provinces

_THAI = re.compile(
    r"(?<![0-9A-Za-zก-๛.])(?P<letters>[1-9]?[ ]?[กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ]{2})"
    r"[ -]{0,2}(?P<digits>[1-9][0-9]{0,3})(?![0-9A-Za-z.,:/-])(?:[ ,]{0,2}(?:จ\.|จังหวัด)?[ ]?(?P<place>[ก-๎]{3,14}))?"
)
_CHINESE = re.compile(
    r"(?<![0-9A-Za-z])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r"[A-HJ-NP-Z][ ·・.-]?(?=[0-9A-HJ-NP-Z]{0,5}[0-9])[0-9A-HJ-NP-Z]{5,6}(?![0-9A-Za-z])"
)
_ABBREVIATIONS = frozenset(
    (
        "กม", "ซม", "มม", "กก", "มล", "ลบ", "ตร", "ชม", "นน", "รพ", "รร", "สน", "สภ", "สพ", "หน", "พศ", "คศ",
        "มค", "กพ", "พค", "มย", "กค", "สค", "กย", "ตค", "พย", "ธค",
    )
)  # fmt: skip
"""Units, months and places whose abbreviation stands before a number as well."""

_WORDS = (
    "ทะเบียน", "ทะเบียนรถ", "ป้ายทะเบียน", "รถยนต์", "รถจักรยานยนต์", "มอเตอร์ไซค์", "licence plate", "license plate",
    "number plate", "plate", "plate no", "vehicle registration", "car registration", "车牌", "车牌号", "车牌号码",
)  # fmt: skip


def _names_province(place: str | None) -> bool:
    return place is not None and any(place.startswith(name) for name in thai_provinces())


class VehiclePlateRecogniser(FoldedRecogniser):
    """A Thai plate is sure with its province behind it or a telling word near it: `กม 12` is a distance."""

    entity = "VEHICLE_PLATE"
    prefilter = r"[ก-ฮ]{2}[ -]{0,2}[1-9]|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z]"
    context_words = _WORDS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Thai and Chinese plates; the province is part of a Thai one."""
        for match in _THAI.finditer(folded):
            abbreviated = match["letters"] in _ABBREVIATIONS
            if _names_province(match["place"]) and len(match["digits"]) > 1 and not abbreviated:
                name = max((n for n in thai_provinces() if match["place"].startswith(n)), key=len)
                yield Candidate(match.start(), match.start("place") + len(name), 0.75)
            else:
                yield Candidate(match.start(), match.end("digits"), 0.3)
        for match in _CHINESE.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.7)
