"""Bring a snapshot back: everything into an empty installation, or one tenant into one that does not have it.

Keys come first, then objects, and the rows in one transaction that compares every table's digest with the snapshot's
before it commits. Each step can be done twice, so a restore that was killed is run again; once the rows of one tenant
are here people work in it, and nothing that they have done since is undone. What was brought of a tenant whose rows
are refused is taken away again. What was erased since the snapshot is erased again before anybody can read it, and
digest keys that were destroyed since are destroyed again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg.errors import InsufficientPrivilege, UniqueViolation

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, IntegrityError, NotFoundError, SettingsError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.audit_trail import seal_audit, verify_audit
from tenant_pipeline.services.backup.layout import (
    CHECKPOINTS,
    CREDENTIALS,
    KEYS,
    MANIFEST,
    ZONES,
    BackupFolder,
    damaged,
    zone_of,
)
from tenant_pipeline.services.backup.signing import require_signer
from tenant_pipeline.services.digest_keys import destroy_again
from tenant_pipeline.services.erasure.whole_tenant import RESTORE, erase_again
from tenant_pipeline.services.provisioning.operations import DONE, Act, State, begin, latest_operation, record_in
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.templates.publishing import keep_what_is_pinned, template_of_version
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, login_of
from tenant_pipeline.storage.keys import KeyRing, KeysDestroyedError, digest_key_ids
from tenant_pipeline.storage.migrations import migrate
from tenant_pipeline.storage.private_folder import make_private_folder
from tenant_pipeline.storage.sealed_file import READ_BYTES, Opener
from tenant_pipeline.storage.table_copy import Table, copy_in, copy_out, runtime_tables, serving_tables

NOTHING_BEFORE = "nothing-before"
"""Stands behind the mark of a restore of a tenant of which nothing was here: what there is of it, it has brought."""


def restore(
    settings: Settings,
    root: Path,
    opener: Opener,
    identifier: str,
    *,
    actor: str,
    signed_by: str | None,
    leave_out_damaged: bool = False,
    feeds_go_on: bool = False,
    tell: Callable[[Runtime, list[TenantId]], None] | None = None,
) -> dict[str, Any]:
    """Bring a snapshot back, and say who took it, what came and what checking the audit logs found.

    `signed_by` is the installation that took it, so that nobody else's roles, approvals and keys come; None takes
    whatever lies in the folder, and is on record in each audit log.

    Stored files that are damaged end it, unless they are to be left out; then they are named. Feeds are paused, so
    that a copy that is only tried out asks nobody's server, unless they are to go on.

    `tell` tells whoever keeps records of their own of the tenants that came. Where it fails the restore has not ended,
    and is run again.

    Raises InputError where the installation is not empty (or has the tenant) and while another restore is at work,
    KeysDestroyedError for a tenant that was erased, SettingsError for another release's snapshot of a tenant and for
    one whose template is not published here, IntegrityError where anything differs, where another than `signed_by`
    took it, or where a snapshot of one tenant holds anything of another or of the platform, and ContractError for
    contracts that say something else under the version of a template that is published.
    """
    folder = BackupFolder(root).existing()
    manifest = folder.manifest(opener, identifier)
    took = require_signer(folder, opener, identifier, signed_by)
    whole = manifest["tenant"] is None
    if not whole and manifest["tenants"] != [manifest["tenant"]]:
        raise _not_its_own(f"{identifier}/{MANIFEST}")
    keys = folder.part(opener, identifier, KEYS)
    ring = KeyRing(settings.keys_directory)
    erased = folder.erased() | set(keys["destroyed"]) | set(ring.destroyed())
    if not whole and manifest["tenant"] in erased:
        raise KeysDestroyedError(
            "The tenant was erased after the backup was taken", where=manifest["tenant"], remedy="It stays erased."
        )
    held = {
        tenant: {name: bytes.fromhex(key) for name, key in keys["tenants"][tenant].items()}
        for tenant in map(tenant_id, manifest["tenants"])
        if tenant not in erased
    }
    destroyed = {tenant: _destroyed_since(folder, tenant, theirs) for tenant, theirs in held.items()}
    if whole:
        ring.take_over_master_key(bytes.fromhex(keys["master"]))
    revision = manifest["revision"] if whole else None
    with open_runtime(settings, revision, half_restored=True) as runtime, _alone(settings):
        _require_room(runtime, manifest)
        in_use = not whole and _is_here(runtime, manifest["tenant"])
        begun_at = datetime.fromtimestamp(settings.restoring_file.stat().st_mtime, UTC)
        try:
            if not in_use:
                for tenant, theirs in held.items():
                    runtime.keys.take_over(tenant, theirs)
                    for version in destroyed[tenant].old:
                        runtime.keys.destroy_digest_key(tenant, version)
                _credentials(runtime, folder.part(opener, identifier, CREDENTIALS), manifest, erased)
            objects, missing = _objects(runtime, folder, opener, manifest, erased, leave_out_damaged, in_use=in_use)
            _rows(runtime, folder, opener, manifest, feeds_go_on=feeds_go_on)
        except IntegrityError:
            if not whole and not _is_here(runtime, manifest["tenant"]):
                _give_up(runtime)
            raise
        for tenant in manifest["tenants"]:
            runtime.database.create_tenant_login(tenant)
            _served(runtime, folder, opener, manifest, tenant)
        migrate(runtime.database)
        keep_what_is_pinned(runtime)
        _tell_of_feeds_again(runtime, manifest["tenants"])
        _tell_of_no_instance(runtime, manifest["tenants"], begun_at)
        for tenant in sorted(erased & set(manifest["tenants"])):
            erase_again(runtime, tenant)
        for tenant, since in destroyed.items():
            for version, key_id in since.old.items():
                destroy_again(runtime, tenant, version, key_id, person=RESTORE)
        if tell is not None:
            tell(runtime, list(held))
        verified = {"signed_by": took, "verified": signed_by is not None}
        audit = _audit(runtime, folder.part(opener, identifier, CHECKPOINTS), manifest, actor, verified)
        settings.restoring_file.unlink()
    return {
        "snapshot": identifier, **verified, "taken_at": manifest["taken_at"], "tenants": manifest["tenants"],
        "erased_again": sorted(erased & set(manifest["tenants"])), "objects": objects,
        "rows": sum(table["rows"] for table in manifest["tables"]), "audit": audit, "left_out": missing,
        "feeds": "as they were" if feeds_go_on else "paused",
        "keys_destroyed_again": {tenant: list(since.old) for tenant, since in destroyed.items() if since.old},
        "destroyed_keys_in_use": [tenant for tenant, since in destroyed.items() if since.in_use],
    }  # fmt: skip


@dataclass(frozen=True)
class _Destroyed:
    """Of a tenant's digest keys in a snapshot, those that were destroyed since: the old ones' ids by version, and
    whether the one that was in use is among them."""

    old: Mapping[int, str]
    in_use: bool


def _destroyed_since(folder: BackupFolder, tenant: TenantId, keys: Mapping[str, bytes]) -> _Destroyed:
    ids, marked = digest_key_ids(keys), folder.erased_keys(tenant)
    newest = max(ids, default=1)
    old = {version: key_id for version, key_id in ids.items() if key_id in marked and version < newest}
    return _Destroyed(old, ids.get(newest) in marked)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Be the only restore here. Raises InputError while another is at work: what it has brought would be taken away."""
    lock = os.open(settings.home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "Another restore is at work here", where=str(settings.home), remedy="Wait until it has ended."
            ) from None
        yield
    finally:
        os.close(lock)


def _require_room(runtime: Runtime, manifest: dict[str, Any]) -> None:
    """Return when the snapshot may come in here, now or going on with a restore that was killed.

    One of another tenant that was killed before its rows came, or whose tenant was erased since, is given up.
    """
    marker, mark = runtime.settings.restoring_file, _mark(manifest)
    if marker.exists():
        snapshot, *tenants = marker.read_text().removesuffix(f" {NOTHING_BEFORE}").split()
        if " ".join((snapshot, *tenants)) == mark:
            return
        half = [each for each in map(tenant_id, tenants) if each not in runtime.keys.destroyed()]
        if not tenants or any(_is_here(runtime, each) for each in half):
            raise InputError(
                "Another snapshot is half restored here",
                where=" ".join((snapshot, *tenants)),
                remedy="Run that restore again first.",
            )
        _give_up(runtime)
    with runtime.database.administration() as connection:
        version = connection.execute("SELECT version_num FROM public.tenant_runtime_version").fetchone()
        there = {row["id"] for row in connection.execute("SELECT id FROM runtime.tenants").fetchall()}
    if there if manifest["tenant"] is None else manifest["tenant"] in there:
        raise InputError(
            "There are tenants here already" if manifest["tenant"] is None else "The tenant is here already",
            where=str(runtime.settings.home),
            remedy="Restore everything into an empty home and database, a tenant where it is not.",
        )
    if version is None or version["version_num"] != manifest["revision"]:
        raise SettingsError(
            f"The snapshot is of database version {manifest['revision']}",
            where="database",
            remedy="Restore with the release that took it, upgrade, and take another backup; one of everything is"
            " brought up to date by itself, in an empty database.",
        )
    draft = marker.with_suffix(f".{os.getpid()}")
    nothing_before = manifest["tenant"] is not None and not runtime.keys.keys_of(manifest["tenant"])
    draft.write_text(f"{mark} {NOTHING_BEFORE}" if nothing_before else mark)
    draft.replace(marker)


def _is_here(runtime: Runtime, tenant: TenantId) -> bool:
    with runtime.database.platform() as connection:
        return connection.execute("SELECT FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone() is not None


def _give_up(runtime: Runtime) -> None:
    """End the restore that is marked here, of a tenant that nobody can use: take away what it has brought.

    Where something of the tenant was here before (as when its database alone was lost), all of it stays.
    """
    marker = runtime.settings.restoring_file
    _, tenant, *nothing_before = marker.read_text().split()
    if nothing_before:
        runtime.keys.forget(tenant_id(tenant))
        runtime.objects.delete(tenant_id(tenant))
        shutil.rmtree(runtime.settings.credentials_directory / tenant_id(tenant), ignore_errors=True)
    marker.unlink()


def _mark(manifest: dict[str, Any]) -> str:
    """What stands in the installation while a restore has not ended: the snapshot, and the tenant if it is of one."""
    return " ".join(filter(None, (manifest["snapshot"], manifest["tenant"])))


def _credentials(runtime: Runtime, files: dict[str, str], manifest: dict[str, Any], erased: set[TenantId]) -> None:
    root = runtime.settings.credentials_directory
    for name, content in files.items():
        tenant, file = _tenant_of(name, manifest), name.partition("/")[2]
        if tenant in erased or "/" in file or file.startswith("."):
            continue
        make_private_folder(root / tenant, root)
        with open(os.open(root / tenant / file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
            written.write(bytes.fromhex(content))


def _objects(
    runtime: Runtime,
    folder: BackupFolder,
    opener: Opener,
    manifest: dict[str, Any],
    erased: set[TenantId],
    leave_out_damaged: bool,
    *,
    in_use: bool,
) -> tuple[int, list[str]]:
    """Put every object where it was, encrypted as the store here asks for; each is checked against its digest.

    Returns how many came, and the names of those that were damaged and left out. Of a tenant `in_use` none is put: what
    is not there was left out before, or was pruned since.
    """
    restored, missing = 0, []
    for name in folder.object_names(opener, manifest["snapshot"]):
        _, zone, _, digest = name.split("/")
        tenant = _tenant_of(name, manifest)
        if tenant in erased:
            continue
        if zone not in ZONES:
            raise damaged(name)
        place = zone_of(runtime, tenant, zone)
        try:
            if Sha256(digest) not in place:
                if in_use:
                    missing.append(name)
                    continue
                with opener.open(folder.object(name), name) as stream:
                    if place.put(stream)[0] != digest:
                        raise damaged(name)
        except IntegrityError as error:
            if not leave_out_damaged:
                raise IntegrityError(
                    error.what,
                    where=error.where,
                    remedy="Fetch the file from another copy of the backup; or restore with --leave-out-damaged, and"
                    " hand in again or run again what lacks it.",
                ) from None
            missing.append(name)
            continue
        restored += 1
    return restored, missing


def _rows(
    runtime: Runtime, folder: BackupFolder, opener: Opener, manifest: dict[str, Any], *, feeds_go_on: bool
) -> None:
    try:
        with runtime.database.administration() as connection:
            connection.execute("SET LOCAL row_security = off")
            # Two tables refer to each other, and triggers note as new what is old. The snapshot is one moment of a
            # database whose references held, and what is written is compared with it.
            connection.execute("SET LOCAL session_replication_role = replica")
            there = connection.execute("SELECT FROM runtime.tenants WHERE id = ANY(%s)", (manifest["tenants"],))
            if there.fetchone() is not None:
                return  # a restore that was killed had come so far
            tables = {table.path: table for table in runtime_tables(connection)}
            wanted = {entry["path"]: entry for entry in manifest["tables"]}
            for path in (each for each in tables if each in wanted):
                _table(connection, folder, opener, manifest, tables[path], wanted[path])
            if manifest["tenant"] is not None:
                _require_own_login(connection, manifest["tenant"])
                _require_template(runtime, connection, manifest["tenant"])
            _give_no_password_again(connection, manifest["tenants"])
            if not feeds_go_on:
                connection.execute(
                    "UPDATE runtime.feeds SET status = 'paused' WHERE status = 'active' AND tenant_id = ANY(%s)",
                    (manifest["tenants"],),
                )
    except UniqueViolation:
        raise InputError(
            "Rows of the snapshot are here already", where="database", remedy="Restore into an empty database."
        ) from None
    except InsufficientPrivilege:
        raise SettingsError(
            "The database role may not write every row",
            where="TENANT_RUNTIME_DATABASE_DSN",
            remedy="Restore with a superuser, or a role with BYPASSRLS that may set session_replication_role.",
        ) from None


def _require_own_login(connection: Connection, tenant: TenantId) -> None:
    """Return when no login was brought back as the tenant's that is another's, or the platform's."""
    others = connection.execute(
        "SELECT FROM runtime.tenant_logins WHERE tenant_id = %s AND role_name <> %s", (tenant, login_of(tenant))
    )
    if others.fetchone() is not None:
        raise _not_its_own("runtime.tenant_logins")


def _give_no_password_again(connection: Connection, tenants: list[TenantId]) -> None:
    """Count the passwords of instances on from the time, past all that were given since the backup was taken."""
    connection.execute(
        """
        INSERT INTO runtime.instance_logins AS login (tenant_id, rotation)
        SELECT id, floor(extract(epoch FROM clock_timestamp()) / 60)::int
          FROM runtime.tenants WHERE id = ANY(%s)
        ON CONFLICT (tenant_id) DO UPDATE SET rotation = greatest(login.rotation + 1, excluded.rotation)
        """,
        (tenants,),
    )


def _require_template(runtime: Runtime, connection: Connection, tenant: TenantId) -> None:
    """Return when the template that the tenant is pinned to is published here: it is the platform's, and does not come.

    Raises SettingsError: neither a release nor an upgrade could be made of it.
    """
    row = connection.execute("SELECT template_version FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    if row is None:
        return
    try:
        template_of_version(runtime, connection, row["template_version"])
    except NotFoundError:
        raise SettingsError(
            f"The tenant's template {row['template_version']} is not published here",
            where=tenant,
            remedy="Publish it here first: `tenant-pipeline template publish`. Where a higher version is, restore"
            " everything into an installation of its own.",
        ) from None


def _tell_of_feeds_again(runtime: Runtime, tenants: list[TenantId]) -> None:
    """Dagster's records are no part of a backup: what it was told of feeds it is told again."""
    with runtime.database.administration() as connection:
        connection.execute("SET LOCAL row_security = off")
        connection.execute("UPDATE runtime.feeds SET told_health = NULL WHERE tenant_id = ANY(%s)", (tenants,))


def _tell_of_no_instance(runtime: Runtime, tenants: list[TenantId], begun_at: datetime) -> None:
    """Instances are no part of a backup: note each that the rows tell of as taken down, so that it can be asked for.

    Else whoever brings instances back would wait for one that was never brought up here, and for good. One that was
    asked for since the restore began stands here, or will.
    """
    for tenant in tenants:
        with runtime.database.platform() as connection:
            last = latest_operation(connection, tenant)
            if last is None or last.left_nothing or last.begun_at > begun_at:
                continue
            taken_down = begin(
                connection, tenant, Act.DEPROVISION, last.backend, last.namespace, last.plan_digest, [], RESTORE
            )
            record_in(runtime, connection, taken_down, DONE, State.DONE, {}, RESTORE)


def _served(runtime: Runtime, folder: BackupFolder, opener: Opener, manifest: dict[str, Any], tenant: TenantId) -> None:
    wanted = {entry["path"]: entry for entry in manifest["served"][tenant]}
    with runtime.database.administration() as connection:
        if not wanted or serving.is_there(connection, login_of(tenant)):
            return
        serving.create_serving_tables(connection, login_of(tenant))
        for table in serving_tables(connection, tenant):
            if table.path in wanted:
                _table(connection, folder, opener, manifest, table, wanted[table.path])


def _table(
    connection: Connection,
    folder: BackupFolder,
    opener: Opener,
    manifest: dict[str, Any],
    table: Table,
    entry: dict[str, Any],
) -> None:
    """Write a table and read it again: what stands there must be what was taken, or nothing is committed."""
    name = f"{manifest['snapshot']}/{table.path}"
    if tuple(entry["columns"]) != table.columns:
        raise IntegrityError("The table has other columns than here", where=table.path, remedy="Use its own release.")
    tenant = manifest["tenant"] if table.schema == "runtime" else None
    with opener.open(folder.snapshot(manifest["snapshot"]) / table.path, name) as stream:
        copy_in(connection, table, _blocks(stream), tenant)
    # As every snapshot is taken now; or as an older release took it, in the form and order of its server.
    if entry["sha256"] not in (_digest(connection, table, tenant, as_set_here=each) for each in (False, True)):
        raise IntegrityError(
            "What was written is not what was taken",
            where=table.path,
            remedy="Restore into an empty database. What an older release took on a server of its own comes back into a"
            " database of the same TimeZone and locale.",
        )


def _digest(connection: Connection, table: Table, tenant: TenantId | None, *, as_set_here: bool) -> str:
    sha256 = hashlib.sha256()
    for block in copy_out(connection, table, tenant, as_set_here=as_set_here):
        sha256.update(block)
    return sha256.hexdigest()


def _blocks(stream: Any) -> Iterator[bytes]:
    while data := stream.read(READ_BYTES):
        yield data


def _tenant_of(name: str, manifest: dict[str, Any]) -> TenantId:
    """Whose a file of the snapshot is. Raises IntegrityError where the snapshot is of others."""
    tenant = tenant_id(name.partition("/")[0])
    if tenant not in manifest["tenants"]:
        raise _not_its_own(name)
    return tenant


def _not_its_own(where: str) -> IntegrityError:
    return IntegrityError(
        "The snapshot holds what is not of the tenant that it is of",
        where=where,
        remedy="No backup is taken so: restore another snapshot, and find out who wrote this into the folder.",
    )


def _audit(
    runtime: Runtime, lines: list[dict[str, Any]], manifest: dict[str, Any], actor: str, verified: dict[str, Any]
) -> list[dict[str, Any]]:
    """Bring the checkpoints back and check each log against them; then note the restore and seal it.

    A tenant that comes from another installation brings a log that holds together, but checkpoints that only that
    installation's key can vouch for: it is sealed anew here.
    """
    if manifest["tenant"] is None:
        runtime.audit.bring_back(lines)
    reports = [row for tenant in manifest["tenants"] for row in verify_audit(runtime, tenant)]
    for tenant in manifest["tenants"]:
        entry = AuditEntry(
            actor=actor,
            action="backup.restored",
            subject=tenant,
            details={"snapshot": manifest["snapshot"], "taken_at": manifest["taken_at"], **verified},
        )
        with runtime.database.platform() as connection:
            runtime.audit.append(connection, tenant, [entry])
        seal_audit(runtime, tenant)
    return reports
