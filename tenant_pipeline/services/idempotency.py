"""Answers kept by idempotency key, so that a request that is sent again is answered again and done once.

After the draft `Idempotency-Key` HTTP header of the IETF's httpapi working group.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=5)
"""After this long without an answer, the one who was answering is taken for dead and the request may be made again."""

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

Answer = tuple[int, bytes]
"""The status and the body."""


class KeyInUseError(InputError):
    """The first request with this key is still being answered."""

    code = "idempotency-key-in-use"


class KeyReusedError(InputError):
    """The key came with another request before."""

    code = "idempotency-key-reused"


def answer_once(
    runtime: Runtime, tenant: TenantId, person: str, key: str, request: Sha256, act: Callable[[], Answer]
) -> Answer:
    """What `act` answers, or what it answered when the same person sent the same request with this key before.

    An act that raises is forgotten, so that it can be tried again. Raises KeyReusedError for another request with the
    same key, KeyInUseError while the first is still being answered.
    """
    known = _claim(runtime, tenant, person, key, request)
    if known is not None:
        return known
    try:
        status, body = act()
    except BaseException:
        _note(runtime, tenant, person, key, None, None, begun_at=_LONG_AGO)
        raise
    _note(runtime, tenant, person, key, status, body)
    return status, body


def forget_old_answers(runtime: Runtime) -> int:
    """Throw away the answers of all tenants that are older than a day; return how many."""
    with runtime.database.platform() as connection:
        return connection.execute(
            "DELETE FROM runtime.idempotent_requests WHERE begun_at < %s", (runtime.now() - KEPT,)
        ).rowcount


def _note(
    runtime: Runtime,
    tenant: TenantId,
    person: str,
    key: str,
    status: int | None,
    body: bytes | None,
    begun_at: datetime | None = None,
) -> None:
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            """
            UPDATE runtime.idempotent_requests
               SET http_status = %s, body = %s, begun_at = coalesce(%s, begun_at)
             WHERE tenant_id = %s AND person = %s AND key = %s
            """,
            (status, body, begun_at, tenant, person, key),
        )


def _claim(runtime: Runtime, tenant: TenantId, person: str, key: str, request: Sha256) -> Answer | None:
    now = runtime.now()
    with runtime.database.tenant(tenant) as connection:
        claimed = connection.execute(
            """
            INSERT INTO runtime.idempotent_requests AS known (tenant_id, person, key, request_digest, begun_at)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (tenant_id, person, key) DO UPDATE
               SET request_digest = EXCLUDED.request_digest, http_status = NULL, body = NULL,
                   begun_at = EXCLUDED.begun_at
             WHERE known.begun_at < %s OR (known.http_status IS NULL AND known.begun_at < %s)
            """,
            (tenant, person, key, request, now, now - KEPT, now - ABANDONED),
        ).rowcount
        if claimed:
            return None
        row = connection.execute(
            """
            SELECT request_digest, http_status, body FROM runtime.idempotent_requests
             WHERE tenant_id = %s AND person = %s AND key = %s
            """,
            (tenant, person, key),
        ).fetchone()
    if row is not None and row["request_digest"] != request:
        raise KeyReusedError("The key came with another request", where="Idempotency-Key", remedy="Use a new key.")
    if row is None or row["http_status"] is None:
        raise KeyInUseError("The first request is still being answered", where="Idempotency-Key", remedy="Wait.")
    return int(row["http_status"]), bytes(row["body"])
