"""Chinese resident ids: six digits of place, eight of birth, three of order and a check digit (GB 11643-1999)."""

from __future__ import annotations

import re
from collections.abc import Iterator

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


class ChineseResidentIdRecogniser(FoldedRecogniser):
    """Eighteen characters with a date of birth inside and a right check digit: chance leaves about 1 in 4,000."""

    entity = "CN_RESIDENT_ID"
    prefilter = r"[1-9][0-9]{5}[ -]?(?:18|19|20)[0-9]{6}[ -]?[0-9]{3}[0-9Xx]"
    context_words = ("身份证", "居民身份证", "证件号码", "resident id", "บัตรประชาชนจีน")

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers whose date and check digit are right."""
        for match in valid_matches(_NUMBER, folded, _valid):
            yield Candidate(match.start(), match.end(), 0.9)
