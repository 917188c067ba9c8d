"""Addresses: part by part, so that a shorter one does not contradict a longer one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tenant_pipeline.core.conflict.comparators.names import own_words
from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.standardise.addresses import address_parts

_EXACT = frozenset({"house_number"})
_LOCAL = frozenset({"house_number", "moo", "soi", "road", "tambon"})
"""Parts that say where in an amphoe something is: a postal code in common confirms no address."""


_MARKERS = frozenset(
    {"หมู่ที่", "ซอย", "ถนน", "ตำบล", "แขวง", "อำเภอ", "เขต", "จังหวัด", "ประเทศไทย", "moo", "soi", "road", "thanon",
     "tambon", "khwaeng", "amphoe", "khet", "changwat", "sub", "district", "province", "thailand"}
)  # fmt: skip
"""Words that only say which part of an address follows or goes before."""


def address_parts_equal(pair: Pair) -> Verdict | None:
    """All parts of the addresses that can be told apart are the same, down to the house number, and so is the rest."""
    left, right = _Told.of(pair.left, pair.lang), _Told.of(pair.right, pair.lang)
    same = left.parts == right.parts and left.rest == right.rest
    return Verdict.SAME if same and left.parts.keys() & _EXACT else None


def address_parts_differ(pair: Pair) -> Verdict | None:
    """The addresses differ in a part that both give."""
    left, right = _Told.of(pair.left, pair.lang).parts, _Told.of(pair.right, pair.lang).parts
    return Verdict.DIFFERS if any(left[part] != right[part] for part in left.keys() & right.keys()) else None


def address_gives_more_parts(pair: Pair) -> Verdict | None:
    """The addresses agree in every part that both give, and one gives more."""
    left, right = _Told.of(pair.left, pair.lang), _Told.of(pair.right, pair.lang)
    nested = left.rest <= right.rest or right.rest <= left.rest
    return Verdict.REFINES if nested and left.parts.keys() & right.parts.keys() & _LOCAL else None


def addresses_without_a_part_in_common(pair: Pair) -> Verdict | None:
    """The addresses share no part that could confirm or deny the other."""
    left, right = _Told.of(pair.left, pair.lang).parts, _Told.of(pair.right, pair.lang).parts
    return Verdict.INCOMPARABLE if left and right and not left.keys() & right.keys() & _LOCAL else None


@dataclass(frozen=True)
class _Told:
    """The parts of an address that can be told apart, and the words that are left."""

    parts: Mapping[str, str]
    rest: frozenset[str]

    @classmethod
    def of(cls, address: str, lang: str) -> _Told:
        found = {name: text for name, text in asdict(address_parts(address)).items() if text}
        rest = address
        for text in sorted(found.values(), key=len, reverse=True):
            # A number tells its part once: the floor may have the same one.
            rest = re.sub(rf"(?<!\d){re.escape(text)}(?!\d)", " ", rest, count=1 if text[0].isdecimal() else 0)
        words = frozenset(re.findall(r"[^\W_]+(?:[\u0e31\u0e34-\u0e4e][^\W_]*)*", rest.casefold())) - _MARKERS
        keys = {name: text if name in _EXACT else own_words(text, lang) for name, text in found.items()}
        keys["amphoe"] = _amphoe(keys.get("amphoe", ""), keys.get("changwat", ""))
        return cls({name: key for name, key in keys.items() if key}, words)


def _amphoe(amphoe: str, changwat: str) -> str:
    """The amphoe that is meant: เมือง alone is that of the changwat's capital, and says nothing without a changwat."""
    amphoe = re.sub("^muang", "mueang", amphoe)
    if amphoe not in ("เมือง", "mueang"):
        return amphoe
    return amphoe + changwat if changwat else ""
