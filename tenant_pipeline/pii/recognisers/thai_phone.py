"""Thai telephone numbers: 0 and eight or nine digits, with or without separators, as the numbering plan has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from tenant_pipeline.pii.recognisers.folded import (
    END,
    START,
    BareSeries,
    Candidate,
    FoldedRecogniser,
    digits_of,
    inside_url,
    is_bare,
)
from tenant_pipeline.pii.recognisers.numbering_plans import national_numbers
from tenant_pipeline.pii.recognisers.phone_words import PHONE_WORDS
from tenant_pipeline.pii.recognisers.street_address import street_follows

_NUMBER = re.compile(START + r"(?<![0-9]-)(?<!\+)\(?0(?:[ .\-()]{0,3}[0-9]){8,9}" + END)
_SHORTER = re.compile(r"\(?0(?:[ .\-()]{0,3}[0-9]){8}(?![0-9])")
_DATE = re.compile(r"0[1-9][ .\-](?:0[1-9]|1[0-2])[ .\-](?:19|20|24|25)[0-9]{2}")


_USUAL_GROUPS = frozenset(
    {
        (2, 3, 4), (2, 7), (2, 4, 4), (2, 8), (1, 4, 4), (1, 8), (1, 4, 2, 2), (1, 2, 3, 3), (2, 3, 2, 2),
        (3, 3, 3), (3, 6), (3, 7), (3, 3, 4), (3, 4, 3), (3, 2, 2, 2), (3, 2, 2, 3), (3, 3, 2, 2), (3, 1, 6),
        (4, 3, 3), (4, 6), (4, 2, 2, 2),
    }
)  # fmt: skip
"""How people group nine or ten digits: by area and exchange. Codes that begin with 0 are grouped in other ways."""


def _is_usual(number: str) -> bool:
    return "(" in number or tuple(map(len, re.findall("[0-9]+", number))) in _USUAL_GROUPS


@cache
def _thai_plan() -> re.Pattern[str]:
    return re.compile(f"0(?:{national_numbers('TH')})")


def thai_number(digits: str) -> bool:
    """Whether `digits`, with the leading 0, are a nine or ten digit number of the Thai numbering plan."""
    return 9 <= len(digits) <= 10 and _thai_plan().fullmatch(digits) is not None


class ThaiPhoneRecogniser(FoldedRecogniser):
    """Written with separators it is a number; bare it may be a padded code, which its column or words near by tell."""

    entity = "PHONE_NUMBER"
    prefilter = r"0(?:[ .\-()]{0,3}[0-9]){8}"
    context_words = PHONE_WORDS
    series = BareSeries("th-phone", re.compile(r"0[0-9]{8,9}"), thai_number)

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Valid numbers, the longest reading first (`076-212345-6` is a number and the end of a range)."""
        position = 0
        while match := _NUMBER.search(folded, position):
            position = match.start() + 1
            if _DATE.match(match[0]) or street_follows(folded, match.end()):
                continue
            end = match.end()
            if not thai_number(digits_of(match[0])):
                shorter = _SHORTER.match(folded, match.start(), match.end())
                if shorter is None or not thai_number(digits_of(shorter[0])):
                    continue
                end = shorter.end()
            position = end
            start = match.start()
            if folded[start] == "(" and ")" not in folded[start:end]:
                start += 1
            yield Candidate(start, end, _score(folded, start, end), is_bare(folded, start, end))


def _score(folded: str, start: int, end: int) -> float:
    number = folded[start:end]
    if not number.isdigit():
        return 0.7 if _is_usual(number) else 0.45
    if inside_url(folded, start):
        return 0.2
    return 0.3 if len(number) == 9 and is_bare(folded, start, end) else 0.55
