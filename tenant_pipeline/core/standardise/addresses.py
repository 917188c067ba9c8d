"""Thai addresses: one line in one spelling, and the parts that can be told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenant_pipeline.core.pseudonym import without_replacements
from tenant_pipeline.core.standardise.characters import clean, half_width, something_left, western_digits
from tenant_pipeline.core.standardise.reading import Context, Standardised

_NOT_IN_ABBREVIATION = r"(?<![.ก-ฮa-zA-Z])"
_GLUED = r"(?<!\.)"
_THAI_REWRITINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:จังหวัด)?(?:กรุงเทพมหานคร|กรุงเทพ\s?ฯ|กทม\.?)(?![ก-๙])"), " กรุงเทพมหานคร"),
    (re.compile(r"(?:บ้าน)?เลขที่\s*(?=[0-9])|รหัสไปรษณีย์\s*:?\s*(?=[0-9]{5})"), " "),
    (re.compile(r"(?:หมู่ที่|หมู่|(?<![.ก-๙])ม\.)\s*(?=[0-9])"), " หมู่ที่ "),
    (re.compile(rf"{_GLUED}ถ\.\s*(?=[ก-๙])|{_NOT_IN_ABBREVIATION}ถนน\s+(?=[ก-๙])"), " ถนน"),
    (re.compile(rf"{_GLUED}ซ\.\s*(?=[ก-๙0-9])|{_NOT_IN_ABBREVIATION}ซอย\s+(?=[ก-๙])"), " ซอย"),
    (re.compile(rf"{_GLUED}ต\.\s*(?=[ก-๙])|{_NOT_IN_ABBREVIATION}ตำบล\s+(?=[ก-๙])"), " ตำบล"),
    (re.compile(rf"{_GLUED}อ\.\s*(?=[ก-๙])|{_NOT_IN_ABBREVIATION}อำเภอ\s+(?=[ก-๙])"), " อำเภอ"),
    (re.compile(rf"{_GLUED}จ\.\s*(?=[ก-๙])|{_NOT_IN_ABBREVIATION}จังหวัด\s+(?=[ก-๙])"), " จังหวัด"),
    (re.compile(rf"{_NOT_IN_ABBREVIATION}(แขวง|เขต)\s+(?=[ก-๙])"), r" \1"),
    (re.compile(r"((?:ตำบล|แขวง)[ก-๙]+?)(?=(?:อำเภอ|เขต)[ก-๙])"), r"\1 "),
    (re.compile(r"((?:อำเภอ|เขต)[ก-๙]+?)(?=จังหวัด[ก-๙]|กรุงเทพมหานคร)"), r"\1 "),
    (re.compile(r"(?<=[ก-๙])(?=[1-9][0-9]{4}$)"), " "),
    (re.compile(r"\s*,\s*"), " "),
)
"""Abbreviated and glued Thai markers, each written out in front of its name."""

_SEGMENT = r"(?:(?<=^)|(?<=[\s,]))"
_ENGLISH_REWRITINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"{_SEGMENT}(?:M\.|Moo(?:ban)?\.?|Mu|Village)\s*(?:No\.?\s*)?(?=[0-9])", re.I), "Moo "),
    (re.compile(rf"{_SEGMENT}Th(?:anon)?\.\s*(?=[A-Z])"), "Thanon "),
    (re.compile(r"(?<=[A-Za-z0-9])\s+Rd\b\.?", re.I), " Road"),
    (re.compile(rf"{_SEGMENT}(?:T\.|Tamb[oo]l\b\.?|Tumbon\b\.?|Tambon\b\.?)\s*(?=[A-Z])"), "Tambon "),
    (re.compile(rf"{_SEGMENT}(?:A\.|Amph(?:ur|or|oe)\b\.?|Amper\b\.?|Ampur\b\.?)\s*(?=[A-Z])"), "Amphoe "),
    (re.compile(rf"{_SEGMENT}(?:Changwat|Jangwat|Chang Wat)\b\.?\s*(?=[A-Z])"), "Changwat "),
    (re.compile(rf"{_SEGMENT}(?:BKK|Krung ?thep(?: Maha Nakhon)?)\b\.?", re.I), "Bangkok"),
    (re.compile(r"\s*,[\s,]*"), ", "),
)
_INITIALS_ARE_MARKERS = re.compile(r"\bA\.\s?[A-Z]|Amph|Amp[hu]|Muang|Mueang|Tamb|Phuket|Bangkok|[1-9][0-9]{4}")
"""What must stand in an English address for `T.` and `A.` to be a tambon and an amphoe rather than initials."""

_THAI = re.compile("[ก-๙]")
_THAI_END = r"(?=\s+(?:หมู่ที่|ซอย|ถนน|ตำบล|แขวง|อำเภอ|เขต|จังหวัด|กรุงเทพมหานคร|[1-9][0-9]{4}(?![0-9]))|$)"
_PATTERNS = {
    "postcode": (r"(?<![0-9/-])([1-9][0-9]{4})(?=[\s,.]*(?:$|Thailand|ประเทศไทย))",),
    "moo": (r"หมู่ที่ ([0-9]+)", r"\bMoo ([0-9]+)"),
    "house_number": (
        r"^(?:[^0-9]*?\s)?(?<!ซอย)(?<!Moo )(?<!หมู่ที่ )(?<!Soi )(?<![0-9/-])([0-9]{1,4}(?:[/-][0-9]{1,4})*)(?=[\s,]|$)",
    ),
    "soi": (rf"(?:^|\s)ซอย(.+?){_THAI_END}", r"\bSoi ([^,]+?)(?=,|\s+[A-Z][\w ]* Road\b|$)"),
    "road": (rf"(?:^|\s)ถนน(.+?){_THAI_END}", r"\bThanon ([^,]+)", r"(?:^|,|[0-9])\s*([A-Z][^,0-9]*?) Road\b"),
    "tambon": (
        r"(?:^|\s)(?:ตำบล|แขวง)(\S+)",
        r"\b(?:Tambon|Khwaeng) ([^,]+?)(?=,|\s+(?:Amphoe|Khet|Changwat)\b|$)",
        r"(?:^|,)\s*([^,]+?) [Ss]ub-?\s?[Dd]istrict\b",
    ),
    "amphoe": (
        r"(?:^|\s)(?:อำเภอ|เขต)(\S+)",
        r"\b(?:Amphoe|Khet) ([^,]+?)(?=,|\s+(?:Changwat)\b|\s+[1-9][0-9]{4}|$)",
        r"(?:^|,)\s*([^,]+?)(?<![Ss]ub) [Dd]istrict\b",
    ),
    "changwat": (
        r"(?:^|\s)จังหวัด(\S+)",
        r"(กรุงเทพมหานคร)",
        r"(?:อำเภอ)\S+ ([ก-๙]+)(?= [1-9][0-9]{4}$|$)",
        r"\bChangwat ([^,0-9]+?)(?=,|\s+[0-9]|$)",
        r"(?:^|,)\s*([^,0-9]+?) [Pp]rovince\b",
        r"(?:^|,)\s*([A-Z][A-Za-z .]+?),? [1-9][0-9]{4}(?=[\s,.]*(?:$|Thailand))",
    ),
}
"""For each part of an address, where it stands in an address that `standardise_address` wrote; first match counts."""

_COMPILED = {part: tuple(re.compile(pattern) for pattern in patterns) for part, patterns in _PATTERNS.items()}


_ROUNDS_TO_SETTLE = 5


@dataclass(frozen=True)
class AddressParts:
    """The parts of a Thai address that could be told apart, each without its marker; "" for the others."""

    house_number: str = ""
    moo: str = ""
    soi: str = ""
    road: str = ""
    tambon: str = ""
    amphoe: str = ""
    changwat: str = ""
    postcode: str = ""


def standardise_address(value: str, context: Context) -> Standardised:
    """An address on one line, its markers written out: nothing is dropped but punctuation and `เลขที่`.

    Thai `ม. ซ. ถ. ต. อ. จ. กทม.` become หมู่ที่, ซอย, ถนน, ตำบล, อำเภอ, จังหวัด, กรุงเทพมหานคร; English `M. Rd. T. A.
    Amphur` become Moo, Road, Tambon, Amphoe. A text with pseudonyms in it is only cleaned. The rule is
    `address-parts` when at least a tambon, an amphoe or a postcode can be told apart.
    """
    text = something_left(clean(western_digits(half_width(value))))
    if without_replacements(text) != text:
        return Standardised(text, "address-text")
    if _THAI.search(text):
        rewritings = _THAI_REWRITINGS
    else:
        rewritings = _ENGLISH_REWRITINGS if _INITIALS_ARE_MARKERS.search(text) else _ENGLISH_REWRITINGS[-1:]
    text = _rewritten(text, rewritings)
    parts = address_parts(text)
    told_apart = parts.tambon or parts.amphoe or parts.postcode
    return Standardised(text, "address-parts" if told_apart else "address-text")


def _rewritten(text: str, rewritings: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    """`text` rewritten until nothing changes, or as it came when the rules do not settle on it."""
    written = text
    for _ in range(_ROUNDS_TO_SETTLE):
        before = written
        for pattern, replacement in rewritings:
            written = " ".join(pattern.sub(replacement, written).split())
        written = clean(written.strip(" ,")) or before
        if written == before:
            return written
    return text


def address_parts(address: str) -> AddressParts:
    """The parts of an address in the form that `standardise_address` gives it."""
    found = {
        part: next((match[1].strip(" ,") for pattern in patterns if (match := pattern.search(address))), "")
        for part, patterns in _COMPILED.items()
    }
    return AddressParts(**found)
