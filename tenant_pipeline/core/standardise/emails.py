"""E-mail addresses."""

from __future__ import annotations

import re

from tenant_pipeline.core.pseudonym import TOKEN_PATTERN, is_token
from tenant_pipeline.core.standardise.characters import clean, half_width
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable
from tenant_pipeline.core.standardise.urls import host_name

_SEPARATOR = re.compile(rf"({TOKEN_PATTERN})|[\s,;|]+")
_LOCAL_PART = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}")


def standardise_email(value: str, context: Context) -> Standardised:
    """The address with its domain in lower case (the local part is the recipient's own affair, RFC 5321 2.3.11).

    Several addresses in one text become several values; pseudonyms pass. Raises Unreadable when any is malformed.
    """
    text = re.sub(r"^mailto:", "", clean(half_width(value)), flags=re.IGNORECASE)
    found = list(dict.fromkeys(_one(part) for part in _SEPARATOR.split(text) if part))
    if not found:
        raise Unreadable("email-unreadable", "The value holds no e-mail address.")
    return Standardised(found[0], "email", tuple(found[1:]))


def _one(text: str) -> str:
    if is_token(text):
        return text
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise Unreadable("email-unreadable", "The value is not an e-mail address.")
    return f"{local}@{host_name(domain)}"
