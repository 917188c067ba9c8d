"""Signing in at an OpenID provider's own page: the authorization code flow with PKCE, its token fetched by the server.

OpenID Connect Core 1.0 (3.1), RFC 7636 (PKCE, S256), RFC 9207 (the issuer in the answer). What an attempt must
remember lies, signed by us, in a cookie of the browser that began it: the state binds the answer to that browser, the
nonce binds the ID token to the attempt, and the verifier binds the code to it. The token never reaches the browser.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt

from tenant_pipeline.api.authentication.key_sets import TIMEOUT_SECONDS, ProvidersKeys, document_of
from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.api.authentication.verification import (
    TokenRefusedError,
    TrustedIssuer,
    access_token_of,
    verified_claims,
)
from tenant_pipeline.core.access_token import AccessToken
from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.services.runtime import Runtime

ATTEMPT_AUDIENCE = "tenant-runtime-sign-in-attempt"
ATTEMPT_LIFETIME = timedelta(minutes=10)
ID_TOKEN_KINDS = ("jwt", "")
"""An ID token need not say what it is; an access token (`at+jwt`) is none."""


@dataclass(frozen=True)
class Attempt:
    """What is remembered between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str
    to: str
    """Where in the workspace the person wanted to go."""

    @classmethod
    def to_go(cls, to: str) -> Attempt:
        """A new attempt, which nobody can guess."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, to)


class OpenIDSignIn:
    """The provider that is configured, as a browser's sign-in needs it."""

    def __init__(self, runtime: Runtime, own: LocalIssuer, keys: ProvidersKeys) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self._own = own
        self._keys = keys
        self._client = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._scope = settings.oidc_scope
        self.issuer = settings.oidc_issuer
        self._trusted = TrustedIssuer(
            self.issuer,
            self._client,
            keys,
            settings.oidc_tenant_claim,
            settings.oidc_person_claim,
            ID_TOKEN_KINDS,
        )
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)

    def begin(self, attempt: Attempt, redirect_uri: str) -> str:
        """The address of the provider's page. Raises SettingsError when the provider cannot be reached."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": redirect_uri,
            "scope": self._scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = self._endpoint("authorization_endpoint")
        return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode(asked)}"

    def finish(self, code: str, attempt: Attempt, redirect_uri: str) -> AccessToken:
        """Whom the provider vouches for, by the code that it gave the browser.

        Its id is the attempt's, so that an attempt can be used up. Raises TokenRefusedError when the provider refuses
        the code, or when what it gives for it is not an ID token for us, of this attempt; SettingsError when it cannot
        be reached.
        """
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        try:
            answer = self._http.post(
                self._endpoint("token_endpoint"), data=asked | self._named(), headers=self._credentials()
            )
            claims = verified_claims(str(document_of(answer)["id_token"]), self._trusted, ("nonce",))
        except (httpx.HTTPError, ValueError, KeyError):
            raise TokenRefusedError from None
        parties = claims["aud"]
        meant_for_others = isinstance(parties, list) and len(parties) > 1 and claims.get("azp") != self._client
        if meant_for_others or not _equal(claims["nonce"], attempt.nonce):
            raise TokenRefusedError
        return access_token_of(claims, self._trusted, attempt.state)

    def seal(self, attempt: Attempt) -> str:
        """The attempt for the browser's cookie, good for ten minutes."""
        return self._own.sealed(vars(attempt), ATTEMPT_AUDIENCE, ATTEMPT_LIFETIME)

    def opened(self, sealed: str, state: str) -> Attempt:
        """The attempt that the browser began, if `state` is its. Raises TokenRefusedError for any other."""
        try:
            attempt = Attempt(**self._own.opened(sealed, ATTEMPT_AUDIENCE))
        except jwt.PyJWTError:
            raise TokenRefusedError from None
        if not _equal(attempt.state, state):
            raise TokenRefusedError
        return attempt

    def _endpoint(self, name: str) -> str:
        found = self._keys.described().get(name)
        # What is sent there is secret: never less protected than the provider itself.
        if not isinstance(found, str) or urlsplit(found).scheme != urlsplit(self.issuer).scheme:
            raise SettingsError(
                f"The OpenID provider names no {name}",
                where="TENANT_RUNTIME_OIDC_ISSUER",
                remedy="Its /.well-known/openid-configuration must name it, by https as itself.",
            )
        return found

    def _in_body(self) -> bool:
        supported = self._keys.described().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return self._secret is None or "client_secret_basic" not in supported

    def _named(self) -> dict[str, str]:
        if not self._in_body():
            return {}
        secret = {"client_secret": self._secret.get_secret_value()} if self._secret else {}
        return {"client_id": self._client} | secret

    def _credentials(self) -> dict[str, str]:
        if self._secret is None or self._in_body():
            return {}
        pair = f"{quote(self._client, safe='')}:{quote(self._secret.get_secret_value(), safe='')}"  # RFC 6749, 2.3.1
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _equal(one: Any, other: str) -> bool:
    return isinstance(one, str) and secrets.compare_digest(one.encode(), other.encode())
