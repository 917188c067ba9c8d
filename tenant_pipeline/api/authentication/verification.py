"""Verifying a token: RFC 8725's rules, with the algorithm bound to the key and every claim required."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from tenant_pipeline.api.authentication.key_sets import KeySet
from tenant_pipeline.core.access_token import LONGEST_PERSON, AccessToken
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import tenant_id

ALGORITHMS = ("EdDSA", "RS256", "ES256")
LONGEST_TOKEN_TEXT = 8192
LEEWAY_SECONDS = 10


class TokenRefusedError(Exception):
    """The token is not one of ours, or not any more. It says no more to who shows it."""


@dataclass(frozen=True)
class TrustedIssuer:
    """An issuer, whom its tokens must be meant for, and the claims that name the person and the tenant."""

    issuer: str
    audience: str
    keys: KeySet
    tenant_claim: str
    person_claim: str
    kinds: Sequence[str]
    """The `typ` headers it gives its tokens, in lower case; RFC 9068 asks for `at+jwt`."""


def verify(token: str, trusted: TrustedIssuer) -> AccessToken:
    """What an access token says. Raises TokenRefusedError for whatever is wrong with it."""
    claims = verified_claims(token, trusted, ("jti",))
    return access_token_of(claims, trusted, _text(claims, "jti"))


def verified_claims(token: str, trusted: TrustedIssuer, also: Sequence[str] = ()) -> dict[str, Any]:
    """The claims of a token whose signature, issuer, audience and times are good, and that has the claims `also`.

    Raises TokenRefusedError for any other.
    """
    required = ["iss", "aud", "exp", "iat", trusted.person_claim, trusted.tenant_claim, *also]
    try:
        if len(token) > LONGEST_TOKEN_TEXT:
            raise TokenRefusedError
        header = jwt.get_unverified_header(token)
        key = trusted.keys(str(header.get("kid", "")))
        if key is None or str(header.get("typ", "")).lower() not in trusted.kinds or "crit" in header:
            raise TokenRefusedError
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
            issuer=trusted.issuer,
            audience=trusted.audience,
            leeway=LEEWAY_SECONDS,
            options={"require": required},
        )
    except (jwt.PyJWTError, TypeError, ValueError, OverflowError):
        raise TokenRefusedError from None
    return claims


def access_token_of(claims: dict[str, Any], trusted: TrustedIssuer, token_id: str) -> AccessToken:
    """What verified claims say of the person and the tenant. Raises TokenRefusedError when they are not such."""
    try:
        return AccessToken(
            id=token_id,
            issuer=trusted.issuer,
            person=_text(claims, trusted.person_claim),
            tenant=tenant_id(_text(claims, trusted.tenant_claim)),
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (InputError, TypeError, ValueError, OverflowError, OSError):
        raise TokenRefusedError from None


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims[name]
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > LONGEST_PERSON:
        raise TokenRefusedError
    return value
