"""E-mail addresses, also where a Thai or Chinese letter touches them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import tldextract

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_ADDRESS = re.compile(
    r"(?<![0-9A-Za-z_%+'@-])(?<![0-9A-Za-z_%+'-]\.)[0-9A-Za-z_%+'-]+(?:\.[0-9A-Za-z_%+'-]+)*"
    r"@(?:[0-9A-Za-z](?:[0-9A-Za-z-]{0,62}[0-9A-Za-z])?\.)+(?:xn--[0-9a-z-]{2,59}|[A-Za-z]{2,63})(?![0-9A-Za-z@])"
)
"""RFC 5321 allows more characters before the @, but in web addresses and paths they are separators. A dot before the
address is part of it only where something stands before the dot.
"""

_FILE_ENDINGS = frozenset(
    ("png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "ico", "css", "js", "ts", "json", "pdf", "html", "mp3", "mp4")
)
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
"""The suffix list that is packaged with tldextract; its default would fetch one from the network."""


@lru_cache(maxsize=20_000)
def _score(domain: str) -> float | None:
    """How sure a domain makes the address, or None for `logo@2x.png`. Unknown suffixes count: lists grow old."""
    if domain.rsplit(".", 1)[-1].lower() in _FILE_ENDINGS:
        return None
    return 1.0 if _SUFFIXES(domain).suffix else 0.8


class EmailRecogniser(FoldedRecogniser):
    """An address with a dotted domain. Presidio's own misses one that is glued to Thai letters.

    `@name@server.social` is a handle in the fediverse and no address.
    """

    entity = "EMAIL_ADDRESS"
    prefilter = r"[0-9A-Za-z_%+'-]@[0-9A-Za-z-]+\."

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Addresses whose domain could be one."""
        for match in _ADDRESS.finditer(folded):
            score = _score(match[0].rpartition("@")[2])
            if score is not None:
                yield Candidate(match.start(), match.end(), score)
