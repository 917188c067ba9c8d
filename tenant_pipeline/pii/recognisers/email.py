"""E-mail addresses in Latin, Thai and Chinese letters, also where a letter of another script touches them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

import tldextract

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser

_THAI, _HAN = "ก-๎", "\u3400-\u9fff"

_LATIN_NAME = r"(?<![0-9A-Za-z_%+'@-])(?<![0-9A-Za-z_%+'-]\.)[0-9A-Za-z_%+'-]+(?:\.[0-9A-Za-z_%+'-]+)*"
"""RFC 5321 allows more characters before the @, but in web addresses and paths they are separators. A dot before the
address is part of it only where something stands before the dot; one before the @ is, as some providers allow it.
"""

_LATIN_LABEL = "[0-9A-Za-z](?:[0-9A-Za-z-]{0,62}[0-9A-Za-z])?"
_LATIN_ENDING = "(?:xn--[0-9a-z-]{2,59}|[A-Za-z]{2,63})(?![0-9A-Za-z@])"


def _name(letters: str) -> str:
    return rf"(?<![{letters}@])(?<![{letters}][._+'-])[{letters}]+(?:[._+'-][{letters}]+)*"


def _label(letters: str) -> str:
    return f"[{letters}](?:[{letters}0-9-]{{0,62}}[{letters}0-9])?"


_FILE_ENDINGS = frozenset(
    ("png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "ico", "css", "js", "ts", "json", "pdf", "html", "mp3", "mp4")
)
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
"""The suffix list that is packaged with tldextract; its default would fetch one from the network."""


@cache
def _address() -> re.Pattern[str]:
    """An address. In Thai and Chinese, where words follow without a blank, it ends with a top level that is known."""
    names = f"{_LATIN_NAME}|{_name(_THAI)}|{_name(_HAN)}"
    labels = f"{_LATIN_LABEL}|{_label(_THAI)}|{_label(_HAN)}"
    known = sorted({suffix.rpartition(".")[2] for suffix in _SUFFIXES.tlds}, key=len, reverse=True)
    endings = "|".join(ending for ending in known if re.fullmatch(f"[{_THAI}]+|[{_HAN}]+", ending))
    return re.compile(
        rf"(?:{names})\.*@(?:(?:{_LATIN_LABEL}\.)+{_LATIN_ENDING}"
        rf"|(?:(?:{labels})\.)+(?:{endings})(?!@)|(?:(?:{labels})\.)+{_LATIN_ENDING})"
    )


@lru_cache(maxsize=20_000)
def _score(domain: str, latin: bool) -> float | None:
    """How sure a domain makes the address, or None for `logo@2x.png`. Unknown suffixes count: lists grow old.

    They do only in an address in Latin letters: in others `@` often stands for the word, as in `งานเลี้ยง@รร.Sunrise`.
    """
    if domain.rsplit(".", 1)[-1].lower() in _FILE_ENDINGS:
        return None
    if _SUFFIXES(domain).suffix:
        return 1.0
    return 0.8 if latin else None


class EmailRecogniser(FoldedRecogniser):
    """An address with a dotted domain. Presidio's own misses one that is glued to Thai letters.

    `@name@server.social` is a handle in the fediverse and no address. A Thai or Chinese name before the @ is found
    together with the words that are written up to it.
    """

    entity = "EMAIL_ADDRESS"
    prefilter = r"[^\s@]@[^\s@]+\."

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Addresses whose domain could be one."""
        position = 0
        while match := _address().search(folded, position):
            score = _score(match[0].rpartition("@")[2], match[0].isascii())
            position = match.end() if score is not None else match.start() + 1
            if score is not None:
                yield Candidate(match.start(), match.end(), score)
