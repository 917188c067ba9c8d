"""Keyed pseudonyms: equal values of one tenant get equal tokens, and nobody without the key can tell which value.

HMAC-SHA-256 (RFC 2104) over entity type and canonical value. A plain SHA-256 would not do: all Thai mobile numbers
can be hashed in minutes and compared.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from tenant_pipeline.core.keys import DigestKey

DIGEST_DIGITS = 32
"""Hexadecimal digits of the HMAC that a token carries: 128 bits."""

TOKEN_PATTERN = rf"⟦[A-Z][A-Z0-9_]*:[A-Za-z0-9._-]+:[0-9a-f]{{{DIGEST_DIGITS}}}⟧"
"""A token inside a text, as a regular expression that Python and RE2 both read."""

MASK_PATTERN = r"⟦[A-Z][A-Z0-9_]*⟧"
"""A mask inside a text: what was there is named by its type only."""

REPLACEMENT = re.compile(f"{TOKEN_PATTERN}|{MASK_PATTERN}")
"""A token or a mask inside a text."""

_TOKEN = re.compile(TOKEN_PATTERN)


def keyed_digest(entity_type: str, canonical: str, key: DigestKey) -> str:
    """HMAC-SHA-256 of entity type and canonical value under the tenant's key, as 64 hexadecimal digits.

    Type and value are joined by a NUL, which neither can hold, so that no two pairs share a message.
    """
    message = f"{entity_type}\0{canonical}".encode()
    return hmac.new(key.secret, message, hashlib.sha256).hexdigest()


def pseudonym(entity_type: str, canonical: str, key: DigestKey) -> str:
    """The token `⟦TYPE:keyid:digest⟧` that stands for a value wherever the tenant meets it."""
    return f"⟦{entity_type}:{key.key_id}:{keyed_digest(entity_type, canonical, key)[:DIGEST_DIGITS]}⟧"


def mask(entity_type: str) -> str:
    """The mask `⟦TYPE⟧`: says what stood here, but not whether two were the same."""
    return f"⟦{entity_type}⟧"


def digest_of_token(token: str) -> str:
    """The keyed digest that a token carries."""
    return token[-DIGEST_DIGITS - 1 : -1]


def key_id_of_token(token: str) -> str:
    """The id of the key that a token was made with: equal values have equal tokens only under the same key."""
    return token.split(":")[1]


def is_token(text: str) -> bool:
    """Whether the whole text is one token, and so opaque to every later stage."""
    return _TOKEN.fullmatch(text) is not None


def without_replacements(text: str, substitute: str = "⟧") -> str:
    """`text` with each token and mask replaced by `substitute`: what is left of the source's own words."""
    return REPLACEMENT.sub(substitute, text)
