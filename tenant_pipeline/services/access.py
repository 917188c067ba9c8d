"""Whether a verified token is let in, and with which roles; tokens taken back before their time."""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg.errors import UniqueViolation

from tenant_pipeline.core.access_token import AccessToken
from tenant_pipeline.core.errors import NotAllowedError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry

LONGEST_TOKEN = timedelta(days=1)
"""No token is trusted for longer after it was issued, whatever it says."""


class TokenRevokedError(NotAllowedError):
    """The token was taken back, or the code was used already."""

    code = "token-revoked"


def roles_of_token(runtime: Runtime, token: AccessToken) -> frozenset[str]:
    """The roles that the token's person has in its tenant. Raises TokenRevokedError when the token was taken back."""
    with runtime.database.platform() as connection:
        row = connection.execute(
            """
            SELECT (SELECT array_agg(role) FROM runtime.tenant_user_roles
                     WHERE tenant_id = %(tenant)s AND person = %(person)s) AS roles,
                   EXISTS (SELECT FROM runtime.token_revocations
                            WHERE tenant_id = %(tenant)s AND token_id = %(id)s AND token_id <> '')
                   OR EXISTS (SELECT FROM runtime.token_revocations
                               WHERE tenant_id = %(tenant)s AND person = %(person)s AND token_id = ''
                                 AND at >= %(issued_at)s) AS revoked
            """,
            {"tenant": token.tenant, "person": token.person, "id": token.id, "issued_at": token.issued_at},
        ).fetchone()
    if row is None or row["revoked"] or runtime.now() - token.issued_at > LONGEST_TOKEN:
        raise TokenRevokedError("The token is not good any more", where="Authorization", remedy="Sign in again.")
    return frozenset(row["roles"] or ())


def revoke_token(runtime: Runtime, token: AccessToken, *, revoked_by: str, action: str = "token.revoked") -> None:
    """Take one token back, audited as `action`. Raises TokenRevokedError when it was taken back already."""
    try:
        _record(runtime, token.tenant, token.person, token.id, token.expires_at, revoked_by, action)
    except UniqueViolation:
        raise TokenRevokedError("It was used already", where="code", remedy="Ask for another link.") from None


def revoke_tokens_of(runtime: Runtime, tenant: TenantId, person: str, *, revoked_by: str) -> None:
    """Take back every token of a person in a tenant that was issued until now, by whichever clock is ahead. Audited."""
    _record(runtime, tenant, person, "", runtime.now() + LONGEST_TOKEN, revoked_by, "tokens.revoked")


def _record(
    runtime: Runtime, tenant: TenantId, person: str, token_id: str, expires_at: datetime, revoked_by: str, action: str
) -> None:
    with runtime.database.platform() as connection:
        connection.execute(
            """
            INSERT INTO runtime.token_revocations (tenant_id, person, token_id, expires_at, revoked_by, at)
            VALUES (%s, %s, %s, %s, %s, greatest(%s, clock_timestamp()))
            """,
            (tenant, person, token_id, expires_at, revoked_by, runtime.now()),
        )
        entry = AuditEntry(actor=revoked_by, action=action, subject=person, details={"token_id": token_id})
        runtime.audit.append(connection, tenant, [entry])
