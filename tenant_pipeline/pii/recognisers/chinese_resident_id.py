"""Chinese resident ids: six digits of place, eight of birth, three of order and a check digit (GB 11643-1999).

Those issued until 1999 have fifteen digits: the year without its century, and no check digit (GB 11643-1989).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from stdnum.cn import ric

from tenant_pipeline.pii.recognisers.folded import END, START, Candidate, FoldedRecogniser, valid_matches

_NUMBER = re.compile(
    START + r"[1-9][0-9]{5}[ -]?(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9][ -]?[0-9]{3}[0-9Xx]" + END
)


def _valid(text: str) -> bool:
    number = re.sub(r"[ -]", "", text).upper()
    try:
        birth = ric.get_birth_date(number)
    except Exception:  # stdnum raises its own and ValueError for dates that never were
        return False
    return birth is not None and bool(ric.calc_check_digit(number) == number[-1])


_OLD = re.compile(
    START
    + r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])[0-9]{4}(?P<birth>[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9])[0-9]{3}"
    + END
)
_WORDS = ("身份证", "居民身份证", "身份證", "证件号码", "证件号", "resident id", "chinese id", "บัตรประชาชนจีน")


def _was_a_day(birth: str) -> bool:
    try:
        date(1900 + int(birth[:2]), int(birth[2:4]), int(birth[4:]))
    except ValueError:
        return False
    return True


class ChineseResidentIdRecogniser(FoldedRecogniser):
    """Eighteen characters with a date of birth inside and a right check digit: chance leaves about 1 in 4,000."""

    entity = "CN_RESIDENT_ID"
    prefilter = r"[1-9][0-9]{5}[ -]?(?:18|19|20)[0-9]{6}[ -]?[0-9]{3}[0-9Xx]"
    context_words = _WORDS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers whose date and check digit are right."""
        for match in valid_matches(_NUMBER, folded, _valid):
            yield Candidate(match.start(), match.end(), 0.9)


class OldChineseResidentIdRecogniser(FoldedRecogniser):
    """Fifteen digits with a province's code and a date of birth: one number in ninety by chance, so words decide."""

    entity = "CN_RESIDENT_ID"
    prefilter = r"[1-6][0-9]{14}"
    context_words = _WORDS
    needs_context = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers of that form."""
        for match in _OLD.finditer(folded):
            if _was_a_day(match["birth"]):
                yield Candidate(match.start(), match.end(), 0.3)
