"""Listings: put up once approved, taken down when their release is no longer live, read by whom they allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import lock_approvals
from tenant_pipeline.services.approvals.refusals import OutdatedError
from tenant_pipeline.services.approvals.requesting import withdraw_open
from tenant_pipeline.services.feature_flags.overrides import require_on, switched_off
from tenant_pipeline.services.releases.reading import live_release
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

Verify = Callable[[Connection], Sequence[str]]
LISTINGS = "marketplace.listings"
WITHDRAWING_ROLES = ("tenant-admin", *PLATFORM_ROLES)


def put_up(runtime: Runtime, tenant: TenantId, listing: Mapping[str, Any], *, listed_by: str, verify: Verify) -> str:
    """Show an approved listing, and return its digest. Audited.

    Raises OutdatedError where the release that it tells of is no longer live, SwitchedOffError where listings are off
    by now, and whatever `verify` raises; then no approval is used.
    """
    digest = sha256_of_json(dict(listing))
    with runtime.database.platform() as connection:
        lock_approvals(connection, tenant)
        lock_listing(connection, tenant)
        approvals = list(verify(connection))
        require_on(connection, tenant, LISTINGS, runtime.now())
        live = live_release(connection, tenant)
        if live is None or live.digest != listing["release"]:
            raise OutdatedError(
                "The listing tells of a release that is not live", where=tenant, remedy="Draft it again, and ask anew."
            )
        connection.execute(
            """
            INSERT INTO runtime.marketplace_listings
                   (tenant_id, visibility, share_scope, resell_flag, release_digest, listing, listed_at)
            VALUES (%(tenant)s, %(visibility)s, %(scope)s, %(resell)s, %(release)s, %(listing)s, %(now)s)
            ON CONFLICT (tenant_id) DO UPDATE
               SET visibility = excluded.visibility, share_scope = excluded.share_scope,
                   resell_flag = excluded.resell_flag, release_digest = excluded.release_digest,
                   listing = excluded.listing, listed_at = excluded.listed_at
            """,
            {
                "tenant": tenant,
                "visibility": listing["visibility"],
                "scope": listing["share_scope"],
                "resell": listing["resell"],
                "release": listing["release"],
                "listing": Jsonb(dict(listing)),
                "now": runtime.now(),
            },
        )
        _step(runtime, connection, tenant, "listed", listing["release"], digest, approvals, listed_by, "approved")
    return digest


def withdraw(runtime: Runtime, tenant: TenantId, *, person: str, role: str, reason: str) -> bool:
    """Take the tenant's listing down, on a named person's word; whether there was one. Audited.

    What is asked for in its place is withdrawn, signed or not, so that no listing comes back without new approvals.
    Raises NotAllowedError without the role, InputError without a reason.
    """
    if not reason.strip():
        raise InputError("Taking a listing down needs a reason", where="--reason")
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, WITHDRAWING_ROLES)
        lock_approvals(connection, tenant)
        taken_down = withdraw_outdated(runtime, connection, tenant, None, person=person, reason=reason)
        if taken_down:
            withdraw_open(runtime, connection, tenant, Operation.LISTING, person=person, reason=reason)
    return taken_down


def withdraw_outdated(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    live_digest: str | None,
    *,
    person: str,
    reason: str,
) -> bool:
    """Take the listing down unless it tells of the release with this digest, in the transaction that made it so."""
    lock_listing(connection, tenant)
    row = connection.execute(
        """
        DELETE FROM runtime.marketplace_listings
         WHERE tenant_id = %s AND release_digest IS DISTINCT FROM %s RETURNING release_digest, listing
        """,
        (tenant, live_digest),
    ).fetchone()
    if row is None or row["release_digest"] is None:
        return False
    _step(
        runtime, connection, tenant, "withdrawn", row["release_digest"], sha256_of_json(row["listing"]), [], person,
        reason,
    )  # fmt: skip
    return True


def list_listings(runtime: Runtime, *, viewer: TenantId | None) -> list[dict[str, Any]]:
    """What a viewer may see: anybody the public listings, a tenant also those for partners and its own.

    Nothing is shown of a tenant that is not live, or whose listings are switched off, whatever stands in the table.
    This is the one place where a tenant reads of another, and all that it reads was approved word for word to be read.
    """
    with runtime.database.platform() as connection:
        rows = connection.execute(
            """
            SELECT listing, listed_at FROM runtime.marketplace_listings
             WHERE release_digest IS NOT NULL
               AND EXISTS (SELECT FROM runtime.tenants AS lister
                            WHERE lister.id = tenant_id AND lister.status = 'live')
               AND tenant_id <> ALL(%(switched_off)s)
               AND (visibility = 'public'
                    OR (visibility = 'partners' AND EXISTS (SELECT FROM runtime.tenants AS viewer
                         WHERE viewer.id = %(viewer)s AND viewer.status IN ('pilot', 'live')))
                    OR tenant_id = %(viewer)s)
             ORDER BY listed_at DESC, tenant_id
            """,
            {"viewer": viewer, "switched_off": switched_off(connection, LISTINGS, runtime.now())},
        ).fetchall()
    return [{**row["listing"], "listed_at": row["listed_at"].isoformat()} for row in rows]


def listing_history(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """How the tenant's listings came and went."""
    with runtime.database.platform() as connection:
        return connection.execute(
            "SELECT * FROM runtime.listing_steps WHERE tenant_id = %s ORDER BY number", (tenant,)
        ).fetchall()


def lock_listing(connection: Connection, tenant: TenantId) -> None:
    """Let no other transaction put up or take down the tenant's listing until this one ends.

    Whoever needs several takes the locks of the release, the approvals, the listing and the audit log in this order:
    so no two wait for each other.
    """
    connection.execute("SELECT app.lock('listing of', %s)", (tenant,))


def _step(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    step: str,
    release: str,
    digest: str,
    approvals: list[str],
    person: str,
    reason: str,
) -> None:
    connection.execute(
        """
        INSERT INTO runtime.listing_steps (tenant_id, step, release_digest, listing_digest, approvals, person, reason)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (tenant, step, release, digest, Jsonb(approvals), person, reason),
    )
    details = {"release": release, "approvals": approvals, "reason": reason}
    entry = AuditEntry(actor=person, action=f"listing.{step}", subject=digest, details=details)
    runtime.audit.append(connection, tenant, [entry])
