"""Names in Latin letters after Mr, Mrs, Ms, Dr, Prof or Khun."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|MR|MRS|MS|MISS|DR|PROF)"
_KHUN = r"(?:Khun|KHUN)"
"""Also the first syllable of many places (Khun Yuam), so it asks for two names of four letters or more."""
_WORD = r"[A-ZÀ-ÖØ-ÞĀ-Ž][A-Za-zÀ-ÖØ-öø-ɏ'’-]+"
_LONG_WORD = r"[A-Z][A-Za-z]{3,}"
_PARTICLE = r"(?:de|da|van|von|bin|binti|al|el|la|na)"
_MORE = rf"(?:[ ](?:[A-Z]\.[ ]?)*(?:{_PARTICLE} )?(?!(?:Apt|Suite|Unit|Room|Floor|Box)\b){_WORD})"
_HOUSE_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,6}[A-Za-z]? (?:[A-Z][\w'-]+ ){1,3}$")
"""What stands before `Dr` where that is short for Drive."""

_NAME = re.compile(
    rf"(?<![0-9A-Za-z])(?:"
    rf"{_TITLE}(?:\.[ ]?|[ ])(?!Universe|World|Thailand|Grand|Earth|International|Tiffany)"
    rf"(?P<name>(?:[A-Z]\.[ ]?)*{_WORD}{_MORE}{{0,3}})"
    rf"|{_KHUN}[ ](?P<khun>{_LONG_WORD}[ ]{_LONG_WORD})(?![A-Za-z]))"
)


class LatinTitledPersonRecogniser(FoldedRecogniser):
    """Capitalised words after a title."""

    entity = "PERSON"
    prefilter = rf"(?:{_TITLE}|{_KHUN})(?:\.[ ]?|[ ])[A-ZÀ-ÖØ-ÞĀ-Ž]"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Names after a title."""
        for match in _NAME.finditer(folded):
            if _HOUSE_NUMBER.search(folded[max(0, match.start() - 40) : match.start()]):
                continue
            group = "name" if match["name"] else "khun"
            yield Candidate(match.start(group), match.end(group), 0.75)
