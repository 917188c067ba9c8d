"""The issuer that an installation brings itself: for development, for one machine, and for programs of the operator.

It signs with Ed25519 (RFC 8037) under a key derived from the installation's master key. The key's number is a setting:
the tokens of the number before stay good until they expire, those of any other are void.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.types import Options

from tenant_pipeline.core.access_token import LONGEST_PERSON
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime

ISSUER = "urn:tenant-runtime:local"
AUDIENCE = "tenant-runtime"
SIGN_IN_AUDIENCE = "tenant-runtime-sign-in"
SESSION_AUDIENCE = "tenant-runtime-session"
TENANT_CLAIM, PERSON_CLAIM = "tenant_id", "sub"
LONGEST_TOKEN = timedelta(hours=12)
SIGN_IN_LIFETIME = timedelta(minutes=10)


class LocalIssuer:
    """Issues access tokens and sign-in codes, and publishes the keys that verify them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._number = runtime.settings.token_key

    def access_token(self, person: str, tenant: TenantId, lifetime: timedelta) -> str:
        """An access token (RFC 9068). Raises InputError for no person, or for more than twelve hours."""
        if lifetime > LONGEST_TOKEN or lifetime <= timedelta(0):
            raise InputError("A token is good for at most twelve hours", where="--minutes", remedy="Ask for less.")
        return self._signed(person, tenant, lifetime, AUDIENCE, "at+jwt")

    def sign_in_code(self, person: str, tenant: TenantId) -> str:
        """A code that is good once, for ten minutes, to begin a session with. Raises InputError for no person."""
        return self._signed(person, tenant, SIGN_IN_LIFETIME, SIGN_IN_AUDIENCE, "sign-in+jwt")

    def session_token(self, person: str, tenant: TenantId, lifetime: timedelta) -> str:
        """What the session cookie holds of whom an OpenID provider has vouched for. Raises InputError for no person."""
        return self._signed(person, tenant, lifetime, SESSION_AUDIENCE, "session+jwt")

    def sealed(self, content: Mapping[str, str], audience: str, lifetime: timedelta) -> str:
        """What a browser keeps for us, and can show again but not change."""
        now = self._runtime.now()
        claims = {**content, "aud": audience, "exp": _seconds(now + lifetime)}
        return jwt.encode(claims, self._key(self._number), algorithm="EdDSA", headers={"kid": _name(self._number)})

    def opened(self, sealed: str, audience: str) -> dict[str, str]:
        """What was sealed for this audience. Raises jwt.PyJWTError for any other text, and when its time is over."""
        key = self._key(self._number).public_key()
        options: Options = {"require": ["aud", "exp"]}
        claims = jwt.decode(sealed, key, algorithms=["EdDSA"], audience=audience, options=options)
        return {name: value for name, value in claims.items() if name not in ("aud", "exp")}

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517): of this number and of the one before."""
        return {"keys": [self._public(number) for number in (self._number, self._number - 1) if number > 0]}

    def _signed(self, person: str, tenant: TenantId, lifetime: timedelta, audience: str, kind: str) -> str:
        if not person.strip() or len(person) > LONGEST_PERSON or not person.isprintable():
            raise InputError("A token is of a person", where="--person", remedy="Name the person in one line.")
        now = self._runtime.now()
        claims = {
            "iss": ISSUER,
            "aud": audience,
            PERSON_CLAIM: person,
            TENANT_CLAIM: tenant,
            "iat": now.timestamp(),  # with its fraction: tokens are taken back by when they were issued
            "exp": _seconds(now + lifetime),
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode(
            claims, self._key(self._number), algorithm="EdDSA", headers={"kid": _name(self._number), "typ": kind}
        )

    def _public(self, number: int) -> dict[str, Any]:
        key: dict[str, Any] = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self._key(number).public_key()))
        return {**key, "kid": _name(number), "use": "sig", "alg": "EdDSA"}

    def _key(self, number: int) -> Ed25519PrivateKey:
        return self._runtime.keys.token_signing_key(number)


def _name(number: int) -> str:
    return f"local-{number}"


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
