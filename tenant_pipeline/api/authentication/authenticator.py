"""From a request to its caller: the token verified, its tenant the one that is asked about, its roles looked up."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import unquote

from anyio import to_thread
from fastapi import Depends, Path
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from tenant_pipeline.api.authentication import verification
from tenant_pipeline.api.authentication.key_sets import ProvidersKeys, key_set_of
from tenant_pipeline.api.authentication.local_issuer import (
    AUDIENCE,
    ISSUER,
    PERSON_CLAIM,
    SESSION_AUDIENCE,
    SIGN_IN_AUDIENCE,
    TENANT_CLAIM,
    LocalIssuer,
)
from tenant_pipeline.api.authentication.openid_sign_in import OpenIDSignIn
from tenant_pipeline.api.authentication.session import shown_token
from tenant_pipeline.api.authentication.verification import TokenRefusedError, TrustedIssuer, verify
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.problems import NotSignedInError, ProblemError
from tenant_pipeline.api.texts import TenantSlug
from tenant_pipeline.core.access_token import AccessToken
from tenant_pipeline.services.access import TokenRevokedError, roles_of_token
from tenant_pipeline.services.runtime import Runtime

MEANT_PERSON = "Session-Person"
"""The header, percent-encoded, in which whoever asks may say whom they take for signed in."""


class Authenticator:
    """Knows whose tokens this installation trusts: an OpenID provider's if one is configured, else its own.

    Whom the provider has vouched for in the browser gets a session of our own, so that it can be ended at once, and so
    that no token of the provider's leaves the server.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._own = LocalIssuer(runtime)
        self.local_issuer = None if runtime.settings.oidc_issuer else self._own
        self.secure = runtime.settings.public_url.startswith("https://")
        keys = ProvidersKeys(runtime.settings.oidc_issuer)
        with_client = runtime.settings.oidc_issuer and runtime.settings.oidc_client_id
        self.openid = OpenIDSignIn(runtime, self._own, keys) if with_client else None
        self._trusted = self._issuers(keys)

    def _issuers(self, keys: ProvidersKeys) -> tuple[TrustedIssuer, ...]:
        settings = self._runtime.settings
        if self.local_issuer is not None:
            return (self._of_our_own(AUDIENCE, "at+jwt"),)
        provider = TrustedIssuer(
            settings.oidc_issuer,
            settings.oidc_audience,
            keys,
            settings.oidc_tenant_claim,
            settings.oidc_person_claim,
            ("at+jwt", "application/at+jwt", "jwt"),
        )
        return (self._of_our_own(SESSION_AUDIENCE, "session+jwt"), provider) if self.openid else (provider,)

    def _of_our_own(self, audience: str, kind: str) -> TrustedIssuer:
        return TrustedIssuer(ISSUER, audience, key_set_of(self._own.jwks()), TENANT_CLAIM, PERSON_CLAIM, (kind,))

    def token(self, connection: HTTPConnection) -> AccessToken:
        """The verified token of a request. Raises NotSignedInError without a good one."""
        shown = shown_token(connection, secure=self.secure)
        if not shown:
            raise NotSignedInError
        return self.verified(shown)

    def verified(self, token: str) -> AccessToken:
        """What an access token says. Raises NotSignedInError for one that is not good."""
        for trusted in self._trusted:
            with suppress(TokenRefusedError):
                return verify(token, trusted)
        raise NotSignedInError

    def sign_in(self, code: str) -> AccessToken:
        """What a sign-in code of the local issuer says. Raises NotSignedInError for any other text."""
        if self.local_issuer is None:
            raise NotSignedInError
        try:
            return verify(code, self._of_our_own(SIGN_IN_AUDIENCE, "sign-in+jwt"))
        except TokenRefusedError:
            raise NotSignedInError from None

    def roles(self, token: AccessToken) -> frozenset[str]:
        """The roles of the token's person in its tenant. Raises NotSignedInError when the token was taken back."""
        try:
            return roles_of_token(self._runtime, token)
        except TokenRevokedError:
            raise NotSignedInError from None


_BEARER = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token with a tenant claim.")


def authenticator_of(connection: HTTPConnection) -> Authenticator:
    """The application's authenticator."""
    found: Authenticator = connection.app.state.authenticator
    return found


async def verified_token(request: HTTPConnection, shown: Annotated[Any, Depends(_BEARER)]) -> AccessToken:
    """The token of a request, whichever tenant it is of.

    Raises a problem 409 where it is another person's than the request says: a browser has one session, and a page that
    was opened before the last sign-in goes on showing who was there.
    """
    token = await to_thread.run_sync(authenticator_of(request).token, request)
    meant = request.headers.get(MEANT_PERSON)
    if meant is not None and unquote(meant) != token.person:
        said = "The session is another person's than the page shows"
        raise ProblemError(409, "session-changed", said, "Look who is signed in, and do it again.")
    return token


async def caller_of(connection: HTTPConnection, token: AccessToken, tenant: str) -> Caller:
    """Who asks about `tenant`. Raises a problem 404 when the token is of another tenant, or of one without the person.

    Not 403: whether another tenant exists is not for the caller to know.
    """
    roles = await to_thread.run_sync(partial(authenticator_of(connection).roles, token))
    if token.tenant != tenant or not roles:
        raise ProblemError(404, "not-found", "There is no such tenant for you", "Ask the tenant's admin for a role.")
    # A connection that stays open ends when a request would be refused, so that its client knows what it has ended for.
    until = token.expires_at + timedelta(seconds=verification.LEEWAY_SECONDS)
    return Caller(token.person, token.tenant, roles, until)


async def caller(
    request: HTTPConnection,
    tenant: Annotated[TenantSlug, Path()],
    token: Annotated[AccessToken, Depends(verified_token)],
) -> Caller:
    """The caller of a route under `/api/tenant/{tenant}`."""
    return await caller_of(request, token, tenant)


CallerOf = Annotated[Caller, Depends(caller)]
TokenOf = Annotated[AccessToken, Depends(verified_token)]
