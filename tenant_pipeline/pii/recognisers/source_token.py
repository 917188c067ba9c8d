"""Texts that already look like one of our pseudonyms: a source must not be able to speak in the runtime's own voice."""

from __future__ import annotations

from collections.abc import Iterator

from tenant_pipeline.core.pseudonym import REPLACEMENT
from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser


class SourceTokenRecogniser(FoldedRecogniser):
    """A token or mask that came in with the source; it is pseudonymised like any other value.

    Only in a table of statements it passes: a runtime's screen has put it there.
    """

    entity = "SOURCE_TOKEN"
    prefilter = r"⟦[A-Z]"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Tokens and masks."""
        for match in REPLACEMENT.finditer(folded):
            yield Candidate(match.start(), match.end(), 1.0)
