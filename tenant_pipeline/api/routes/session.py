"""Signing in and out, who one is, and the keys that verify the local issuer's tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from tenant_pipeline.api.authentication import session
from tenant_pipeline.api.authentication.authenticator import TokenOf, authenticator_of
from tenant_pipeline.api.authentication.local_issuer import LONGEST_TOKEN
from tenant_pipeline.api.authentication.verification import LONGEST_TOKEN_TEXT
from tenant_pipeline.api.problems import NotSignedInError, ProblemError
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.core.access_token import AccessToken
from tenant_pipeline.services.access import TokenRevokedError, revoke_token, revoke_tokens_of
from tenant_pipeline.services.approvals.person_keys import keys_in_use
from tenant_pipeline.services.runtime import Runtime

router = APIRouter(tags=["session"])

SESSION = timedelta(hours=8)


class SignIn(BaseModel):
    """The code of a sign-in link."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TOKEN_TEXT, pattern=r"^[\x21-\x7e]+$")]


class Session(BaseModel):
    """Who is signed in, in which tenant, with which roles, and until when; and where the runs are to be seen.

    `writes` are the fields of the shared document that the roles may write; `registered` says whether the tenant
    exists yet, `signs_with_key` whether your decisions count only with the signature of a key of your own.
    """

    person: str
    tenant: str
    roles: list[str]
    writes: list[str]
    registered: bool
    signs_with_key: bool
    expires_at: str
    dagster_url: str


class SignedOut(BaseModel):
    """The session has ended."""

    signed_out: bool = True


@router.post("/api/session", status_code=201)
def sign_in(wanted: SignIn, request: Request, response: Response, runtime: RuntimeOf) -> Session:
    """Begin a session with the code of a sign-in link, which is good once."""
    authenticator = authenticator_of(request)
    code = authenticator.sign_in(wanted.code)
    if authenticator.local_issuer is None:
        raise ProblemError(404, "not-found", "Sign in with the OpenID provider")
    try:
        revoke_token(runtime, code, revoked_by=code.person, action="session.begun")
    except TokenRevokedError:
        raise NotSignedInError from None
    lifetime = min(SESSION, LONGEST_TOKEN)
    token = authenticator.local_issuer.access_token(code.person, code.tenant, lifetime)
    session.begin(response, token, int(lifetime.total_seconds()), secure=authenticator.secure)
    verified = authenticator.verified(token)
    return _session(runtime, verified, authenticator.roles(verified))


@router.get("/api/session")
def who(token: TokenOf, request: Request, runtime: RuntimeOf) -> Session:
    """Who you are here."""
    roles = authenticator_of(request).roles(token)
    return _session(runtime, token, roles)


@router.delete("/api/session")
def sign_out(token: TokenOf, request: Request, response: Response, runtime: RuntimeOf) -> SignedOut:
    """End the session: its token is not good any more, wherever it was copied to."""
    authenticator_of(request).roles(token)
    revoke_token(runtime, token, revoked_by=token.person, action="session.ended")
    session.end(response, secure=authenticator_of(request).secure)
    return SignedOut()


@router.delete("/api/sessions")
def sign_out_everywhere(token: TokenOf, request: Request, response: Response, runtime: RuntimeOf) -> SignedOut:
    """End all of your sessions in this tenant."""
    authenticator_of(request).roles(token)
    revoke_tokens_of(runtime, token.tenant, token.person, revoked_by=token.person)
    session.end(response, secure=authenticator_of(request).secure)
    return SignedOut()


@router.get("/.well-known/jwks.json")
def jwks(request: Request) -> dict[str, list[dict[str, Any]]]:
    """The public keys of the local issuer (RFC 7517); none where an OpenID provider is trusted in its place."""
    issuer = authenticator_of(request).local_issuer
    return issuer.jwks() if issuer else {"keys": []}


def _session(runtime: Runtime, token: AccessToken, roles: frozenset[str]) -> Session:
    with runtime.database.platform() as connection:
        known = connection.execute("SELECT FROM runtime.tenants WHERE id = %s", (token.tenant,)).fetchone()
        keys = keys_in_use(connection, token.tenant, token.person)
    return Session(
        person=token.person,
        tenant=token.tenant,
        roles=sorted(roles),
        writes=sorted(
            name for name, field in runtime.contracts.shared_fields.items() if not roles.isdisjoint(field.write_roles)
        ),
        registered=known is not None,
        signs_with_key=bool(keys),
        expires_at=token.expires_at.isoformat(),
        dagster_url=runtime.settings.dagster_url or f"http://127.0.0.1:{runtime.settings.webserver_port}",
    )
