"""Publish a release, or go back to one: seen all at once, in one transaction with the approvals it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.approvals.records import lock_approvals
from tenant_pipeline.services.approvals.refusals import OutdatedError
from tenant_pipeline.services.feature_flags.overrides import hand_to_instance
from tenant_pipeline.services.marketplace.listing import lock_listing, withdraw_outdated
from tenant_pipeline.services.releases.checks import check_release, require_passed, standing_checks
from tenant_pipeline.services.releases.reading import (
    Release,
    last_published,
    live_release,
    published_as,
    publishing_history,
    release,
    stored_rows,
)
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, login_of

Verify = Callable[[Connection], Sequence[str]]
"""Uses up the approvals of what is about to be done, in its transaction, and returns their ids; or refuses."""


def publish(runtime: Runtime, tenant: TenantId, digest: Sha256, *, published_by: str, verify: Verify) -> int:
    """Make a release the one that readers see, and return its number in the publishing history. Audited.

    Raises ReleaseRefusedError where it does not stand its checks, OutdatedError where since it was built something else
    was published, also under its version, or the tenant has gone on to another template, and whatever `verify` raises.
    Its rows are laid down first, where nobody sees them, so that the tenant's approvals and its audit log wait for one
    small transaction only; killed before that one ends, they are found there by the next. What may have changed in the
    meantime, a source, a gate or a conflict, is looked at again there.
    """
    with runtime.database.platform() as connection:
        built = release(connection, tenant, digest)
        _require_current(connection, built)
    require_passed(check_release(runtime, built))
    _lay_down(runtime, built)
    with runtime.database.platform() as connection:
        _lock(connection, tenant)
        _require_current(connection, built)
        require_passed(standing_checks(runtime, built))
        approvals = list(verify(connection))
        number = _record(connection, built, approvals, published_by, "", None)
        serving.note_published(connection, login_of(tenant), digest, runtime.now())
        _show(runtime, connection, built, published_by)
        hand_to_instance(runtime, connection, tenant)
        _audit(runtime, connection, built, "release.published", published_by, approvals, "")
    return number


def confirm(runtime: Runtime, tenant: TenantId, digest: Sha256, *, confirmed_by: str, verify: Verify) -> int:
    """Publish again, with new approvals, what readers see: the way on for a tenant that went back to draft. Audited.

    Raises ReleaseRefusedError where it does not stand its checks now, OutdatedError where something else is live by
    now, and whatever `verify` raises. Returns its number in the publishing history.
    """
    with runtime.database.platform() as connection:
        shown = release(connection, tenant, digest)
    require_passed(check_release(runtime, shown))
    with runtime.database.platform() as connection:
        _lock(connection, tenant)
        live = live_release(connection, tenant)
        if live is None or live.digest != digest:
            raise OutdatedError(
                "Something else was published since this release was asked for",
                where=f"{tenant}, release {shown.version}",
                remedy="Ask for the approvals of what is live now.",
            )
        require_passed(standing_checks(runtime, shown))
        approvals = list(verify(connection))
        reason = "Approved again, from draft"
        number = _record(connection, shown, approvals, confirmed_by, reason, None)
        _audit(runtime, connection, shown, "release.confirmed", confirmed_by, approvals, reason)
    return number


def roll_back(
    runtime: Runtime,
    tenant: TenantId,
    digest: Sha256,
    *,
    instead_of: Sha256,
    after_entry: int,
    rolled_back_by: str,
    reason: str,
    verify: Verify,
) -> int:
    """Let readers see an earlier release again: a new entry of the history that points to an old one. Audited.

    `instead_of` was live when it was asked for, published last with `after_entry`. What the instance reads is there
    already, so it takes the time of one small transaction. Raises OutdatedError where anything was published since,
    InputError for a release that was never published, or without a reason, and whatever `verify` raises.
    """
    if not reason.strip():
        raise InputError("Going back to a release needs a reason", where="--reason")
    with runtime.database.platform() as connection:
        _lock(connection, tenant)
        wanted = release(connection, tenant, digest)
        live = live_release(connection, tenant)
        history = publishing_history(connection, tenant)
        if live is None or (live.digest, last_published(history)) != (instead_of, after_entry):
            raise OutdatedError(
                "Something else was published since going back was asked for",
                where=f"{tenant}, release {wanted.version}",
                remedy="See what is live now, and ask again.",
            )
        entry = require_published(history, wanted, live)
        approvals = list(verify(connection))
        number = _record(connection, wanted, approvals, rolled_back_by, reason, entry)
        _show(runtime, connection, wanted, rolled_back_by)
        _audit(runtime, connection, wanted, "release.rolled-back", rolled_back_by, approvals, reason)
    return number


def require_published(history: Sequence[Mapping[str, Any]], wanted: Release, live: Release | None) -> int:
    """The last entry of the history that published a release which can be gone back to.

    Raises InputError for one that was never published, or is live.
    """
    where = f"{wanted.tenant}, release"
    if live is not None and live.digest == wanted.digest:
        raise InputError(f"Release {wanted.version} is live", where=where)
    entries = [
        entry["id"] for entry in history if entry["stage"] == "published" and entry["release_digest"] == wanted.digest
    ]
    if not entries:
        raise InputError(
            f"Release {wanted.version} was never published",
            where=where,
            remedy="Publish it, or go back to one that was: `tenant-pipeline release history`.",
        )
    return int(entries[-1])


def _lay_down(runtime: Runtime, built: Release) -> None:
    with runtime.database.administration() as connection:
        serving.create_serving_tables(connection, login_of(built.tenant))
    with runtime.database.platform() as connection:
        connection.execute("SELECT app.lock('rows of a release of', %s)", (built.tenant,))
        _load(runtime, connection, built)


def _lock(connection: Connection, tenant: TenantId) -> None:
    """Be the only one who publishes, and hold the other locks that publishing needs before any entry is audited.

    Others would hold some of them by then, and wait for the audit log: see `lock_listing`.
    """
    connection.execute("SELECT app.lock('release of', %s)", (tenant,))
    lock_approvals(connection, tenant)
    lock_listing(connection, tenant)


def _require_current(connection: Connection, built: Release) -> None:
    live = live_release(connection, built.tenant)
    where = f"{built.tenant}, release {built.version}"
    if (live.digest if live else None) != built.base_digest:
        raise OutdatedError(
            "Something else was published since this release was built",
            where=where,
            remedy="Build it again on what is live now, and ask for its approvals.",
        )
    if any(each.digest != built.digest for each in published_as(connection, built.tenant, built.version)):
        raise OutdatedError(
            f"Another release was published as {built.version} since this one was built",
            where=where,
            remedy="Build it again, which gives it a version of its own, and ask for its approvals.",
        )
    row = connection.execute("SELECT template_version FROM runtime.tenants WHERE id = %s", (built.tenant,)).fetchone()
    if row is None or row["template_version"] != built.template_version:
        raise OutdatedError(
            f"The tenant is no longer at template {built.template_version}, which this release was built for",
            where=where,
            remedy="Build it again, for the tenant's template, and ask for its approvals.",
        )


def _record(
    connection: Connection,
    published: Release,
    approvals: list[str],
    person: str,
    reason: str,
    rollback_to: int | None,
) -> int:
    row = connection.execute(
        """
        INSERT INTO runtime.publish_pipeline
               (tenant_id, stage, release_digest, rollback_to, approvals, created_by, reason)
        VALUES (%s, 'published', %s, %s, %s, %s, %s) RETURNING id
        """,
        (published.tenant, published.digest, rollback_to, Jsonb(approvals), person, reason),
    ).fetchone()
    assert row is not None
    return int(row["id"])


def _load(runtime: Runtime, connection: Connection, built: Release) -> None:
    """The release's rows, unless an earlier publication, or one that came no further, left them there."""
    schema = login_of(built.tenant)
    if not serving.has_release(connection, schema, built.digest):
        rows = stored_rows(runtime, built.tenant, built.stored_digest)
        about = {
            "release": built.digest,
            "version": built.version,
            "template_version": built.template_version,
            "entities": built.entities,
        }
        serving.load_release(connection, schema, about, rows, runtime.now())


def _show(runtime: Runtime, connection: Connection, shown: Release, person: str) -> None:
    serving.switch_release(connection, login_of(shown.tenant), shown.digest, runtime.now())
    withdraw_outdated(
        runtime, connection, shown.tenant, shown.digest, person=person, reason=f"Release {shown.version} is live now"
    )


def _audit(
    runtime: Runtime,
    connection: Connection,
    published: Release,
    action: str,
    person: str,
    approvals: list[str],
    reason: str,
) -> None:
    details = {"version": published.version, "approvals": approvals, "reason": reason}
    entry = AuditEntry(actor=person, action=action, subject=published.digest, details=details)
    runtime.audit.append(connection, published.tenant, [entry])
