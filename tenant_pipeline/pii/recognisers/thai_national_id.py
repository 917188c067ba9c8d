"""Thai national ids: thirteen digits, usually written 1-2345-67890-12-3, the last one a check digit modulo 11."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.th import pin

from tenant_pipeline.pii.recognisers.folded import (
    END,
    START,
    BareSeries,
    Candidate,
    FoldedRecogniser,
    digits_of,
    is_bare,
    valid_matches,
)

_NUMBER = re.compile(START + r"[1-8](?:[ -]?[0-9]){12}" + END)
_OFFICIAL_GROUPS = re.compile(r"[0-9][ -][0-9]{4}[ -][0-9]{5}[ -][0-9]{2}[ -][0-9]")
_PROVINCE = re.compile(r"[1-8](?:[134][0-9]|2[0-7]|5[0-8]|[67][0-7]|[89][0-6])")
_MILLISECONDS = range(1_100_000_000_000, 2_100_000_000_000)
"""Milliseconds since 1970 from 2004 to 2036: a bare number in here is as likely a time stamp."""


def _valid(text: str) -> bool:
    return bool(pin.is_valid(digits_of(text)))


class ThaiNationalIdRecogniser(FoldedRecogniser):
    """Ids in their official groups are sure; a bare number, alone in its cell, may be a time stamp or a barcode."""

    entity = "TH_NATIONAL_ID"
    prefilter = r"[1-8](?:[ -]?[0-9]){12}"
    context_words = (
        "เลขประจำตัวประชาชน",
        "บัตรประชาชน",
        "ปชช",
        "ประจำตัวประชาชน",
        "เลขบัตร",
        "บัตร ปชช",
        "ประชาชน",
        "national id",
        "citizen id",
        "id card",
        "id no",
        "id number",
        "identification",
        "thai id",
        "tnin",
        "cid",
        "身份证",
        "泰国身份证",
        "证件号",
    )
    series = BareSeries("th-national-id", re.compile(r"[0-9]{13}"), _valid)

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers whose check digit is right."""
        for match in valid_matches(_NUMBER, folded, _valid):
            bare = is_bare(folded, match.start(), match.end())
            yield Candidate(match.start(), match.end(), _score(match[0], bare), bare)


def _score(number: str, bare: bool) -> float:
    if _OFFICIAL_GROUPS.fullmatch(number):
        return 0.95
    if not bare:
        return 0.75
    if int(number) in _MILLISECONDS or not _PROVINCE.match(number):
        return 0.3
    return 0.6
