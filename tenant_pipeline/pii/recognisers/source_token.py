"""Texts that already look like one of our pseudonyms: a source must not be able to speak in the runtime's own voice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.core.pseudonym import MASK_PATTERN, TOKEN_PATTERN
from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_REPLACEMENT = re.compile(f"{TOKEN_PATTERN}|{MASK_PATTERN}")


class SourceTokenRecogniser(FoldedRecogniser):
    """A token or mask that came in with the source; it is pseudonymised like any other value."""

    entity = "SOURCE_TOKEN"
    prefilter = r"⟦[A-Z]"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Tokens and masks."""
        for match in _REPLACEMENT.finditer(folded):
            yield Candidate(match.start(), match.end(), 1.0)
