"""International bank account numbers (ISO 13616), checked modulo 97 and against the country's form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_START = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,30}")
_SHORTEST = 15


class IbanRecogniser(FoldedRecogniser):
    """The longest valid beginning of a run of letters and digits, since words may follow after a space."""

    entity = "IBAN_CODE"
    prefilter = r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11}"
    context_words = ("iban", "bank", "account", "บัญชี", "银行账号")

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Valid numbers."""
        for match in _START.finditer(folded):
            for end in range(match.end(), match.start() + _SHORTEST - 1, -1):
                ends_a_word = end == len(folded) or not (folded[end].isascii() and folded[end].isalnum())
                if ends_a_word and iban.is_valid(folded[match.start() : end]):
                    yield Candidate(match.start(), end, 0.95)
                    break
