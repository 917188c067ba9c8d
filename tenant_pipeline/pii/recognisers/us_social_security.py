"""Social security numbers of the United States, as guests and staff from there hand them in.

Three, two and four digits; the Social Security Administration never assigns the areas 000, 666 and 900–999, the group
00 nor the serial 0000 (20 CFR 422.103; POMS RM 10201.035).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import END_OF_A_CODE, START, Candidate, FoldedRecogniser

_ASSIGNED = r"(?!000|666|9)[0-9]{3}(?P<gap>[ -]?)(?!00)[0-9]{2}(?P=gap)(?!0000)[0-9]{4}"
_NUMBER = re.compile(START + r"(?<![0-9]-)" + _ASSIGNED + END_OF_A_CODE + r"(?!-[0-9])")
_ANNOUNCING = (
    "ssn",
    "ssns",
    "social security",
    "social security number",
    "social security no",
    "ประกันสังคมสหรัฐ",
    "社会安全号",
)


class SocialSecurityRecogniser(FoldedRecogniser):
    """With dashes a number is likely one, since few codes are grouped so; with spaces or bare it needs the word."""

    entity = "US_SSN"
    prefilter = r"[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}"
    context_words = _ANNOUNCING

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers that may have been assigned."""
        for match in _NUMBER.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.55 if match["gap"] == "-" else 0.3)
