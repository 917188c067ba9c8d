"""Passport numbers: one or two letters and six to eight digits, near a word that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import END_OF_A_CODE, START, Candidate, FoldedRecogniser

_NUMBER = re.compile(START + r"(?:[A-Za-z]{1,2}[ -]?[0-9]{6,8}|[0-9]{9})" + END_OF_A_CODE)


class PassportRecogniser(FoldedRecogniser):
    """Too common a form to trust without `passport`, หนังสือเดินทาง or 护照 beside it."""

    entity = "PASSPORT"
    prefilter = r"[A-Za-z][ -]?[0-9]{6}|[0-9]{9}"
    context_words = ("passport", "passport no", "หนังสือเดินทาง", "พาสปอร์ต", "护照", "travel document")
    needs_context = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers of that form."""
        for match in _NUMBER.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.25)
