"""Chinese mobile numbers: eleven digits from 13 to 19, and landlines in Chinese text."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
from tenant_pipeline.pii.recognisers.phone_words import PHONE_WORDS

_NUMBER = re.compile(START + r"(?<![0-9]-)(?<!\+)(?:86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}" + END)
_LANDLINE = re.compile(START + r"(?<![0-9]-)\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?[ -][0-9]{4}[ -]?[0-9]{3,4}" + END)
_HAN = re.compile(r"[\u3400-\u9fff]")


def _valid(text: str) -> bool:
    return re.fullmatch(r"(?:86)?1[3-9][0-9]{9}", digits_of(text)) is not None


class ChineseMobileRecogniser(FoldedRecogniser):
    """Among Chinese words or in groups of 3-4-4 it is a number; alone in a cell it may be any eleven-digit code."""

    entity = "PHONE_NUMBER"
    prefilter = r"1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}|0[0-9]{2,3}\)?[ -][0-9]{4}[ -]?[0-9]{3,4}"
    context_words = PHONE_WORDS
    series = BareSeries("cn-mobile", re.compile(r"[0-9]{11}"), _valid)

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Mobile numbers, and landlines where the text is Chinese."""
        chinese = _HAN.search(folded) is not None
        for match in _NUMBER.finditer(folded):
            bare = is_bare(folded, match.start(), match.end())
            sure = (chinese or not match[0].isdigit()) and not inside_url(folded, match.start())
            yield Candidate(match.start(), match.end(), 0.65 if sure else 0.3, bare)
        if chinese:
            for match in _LANDLINE.finditer(folded):
                yield Candidate(match.start(), match.end(), 0.6)
