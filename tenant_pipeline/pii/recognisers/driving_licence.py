"""Driving licence numbers: their forms differ from state to state, so the words beside them decide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import END_OF_A_CODE, SHORT_FLOAT_TAIL, START, Candidate, FoldedRecogniser

_NUMBER = re.compile(
    START
    + r"(?:(?:[A-Za-z]{0,3}[0-9]{6,14}|[A-Za-z]?[0-9]{3,4}(?:[ -][0-9]{2,5}){1,3}|[A-Za-z]{5}[0-9]{6}[0-9A-Za-z]{5})"
    + END_OF_A_CODE
    + rf"|[0-9]{{6,8}}(?={SHORT_FLOAT_TAIL}))"
)


class DrivingLicenceRecogniser(FoldedRecogniser):
    """Six to fourteen digits, with up to three letters before them or in groups, near `driving licence` or ใบขับขี่."""

    entity = "DRIVING_LICENCE"
    prefilter = r"[0-9]{6}|[0-9]{3,4}[ -][0-9]{2,5}|[A-Za-z]{5}[0-9]{6}"
    context_words = (
        "driver license", "driver licence", "drivers license", "driver's license", "driver’s license",
        "drivers licence", "driver's licence", "driving licence", "driving license", "driving permit", "driver permit",
        "licence number", "license number", "ใบขับขี่", "ใบอนุญาตขับรถ", "ใบอนุญาตขับขี่", "驾照", "驾驶证", "驾驶执照",
    )  # fmt: skip
    needs_context = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers of such forms."""
        for match in _NUMBER.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.2)
