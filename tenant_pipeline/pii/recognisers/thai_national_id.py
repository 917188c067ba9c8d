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


def _valid(text: str) -> bool:
    return bool(pin.is_valid(digits_of(text)))


class ThaiNationalIdRecogniser(FoldedRecogniser):
    """Ids in groups or among words are sure; of bare numbers, alone in a cell, one in eleven is valid by chance.

    So of them the column, or the name of the field, must say the same.
    """

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
    series = BareSeries("th-national-id", re.compile(r"[1-8][0-9]{12}"), _valid)

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
    return 0.3
