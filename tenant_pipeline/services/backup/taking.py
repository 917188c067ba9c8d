"""Take a backup of everything or of one tenant, while the installation is at work.

The rows are one moment's: a single REPEATABLE READ transaction reads them all. What checkpoints seal is read before;
the objects that rows name were there before and are content-addressed, so copying them later copies the same. Nobody
needs the recovery key for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.errors import InsufficientPrivilege

from tenant_pipeline.core.errors import InputError, NotFoundError, SettingsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.backup.layout import (
    CHECKPOINTS,
    CREDENTIALS,
    FORMAT,
    KEYS,
    MANIFEST,
    OBJECTS,
    RECIPIENT,
    TAKEN_AT,
    BackupFolder,
    contents,
    damaged,
    writing,
    zone_of,
)
from tenant_pipeline.services.backup.signing import SIGNATURE, signed, signer
from tenant_pipeline.services.digest_keys import destroyed_keys
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.checkpoints import Checkpoint
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.private_folder import make_private_folder, sync
from tenant_pipeline.storage.sealed_file import READ_BYTES, Sealer
from tenant_pipeline.storage.table_copy import Table, copy_out, runtime_tables, serving_tables


def take_backup(runtime: Runtime, root: Path, recipient: str, tenant: TenantId | None = None) -> dict[str, Any]:
    """Add a signed snapshot to a backup folder, and say what it holds and who signed it.

    Killed, it is run again; objects are copied once.

    Tenants that were erased are taken out of the folder's objects, and marked so that none of them is brought back, as
    are digest keys that were destroyed.
    Raises InputError for no recipient and for another than the folder's, where there is no tenant at all, and as
    `writing` does, NotFoundError for no such tenant, IntegrityError where a stored file is damaged, SettingsError where
    the role may not read every row.
    """
    sealer = Sealer(recipient)
    if tenant is not None:
        registry.show_tenant(runtime, tenant)
    elif not registry.list_tenants(runtime):
        raise InputError(
            "There is nothing to back up: no tenant is registered here",
            where=str(runtime.settings.home),
            remedy="See that TENANT_RUNTIME_HOME and TENANT_RUNTIME_DATABASE_DSN name the installation that you mean.",
        )
    with writing(root) as folder:
        _require_recipient(folder, sealer.recipient)
        _forget_erased(runtime, folder)
        for left in root.glob("snapshots/*"):
            if not (left / MANIFEST).exists():
                shutil.rmtree(left)
        taken_at = runtime.now()
        identifier = f"{taken_at.strftime(TAKEN_AT)}-{secrets.token_hex(4)}"
        manifest: dict[str, Any] = {
            "format": FORMAT, "snapshot": identifier, "taken_at": taken_at.isoformat(), "tenant": tenant,
        }  # fmt: skip
        snapshot = _Snapshot(folder, identifier, sealer, taken_at)
        chains = _checkpoints(runtime, tenant)
        manifest |= _rows(runtime, snapshot, tenant)
        tenants = manifest["tenants"]
        whose = set(tenants)
        sealed = [line for line in chains if line["tenant"] in whose]
        manifest["objects"], manifest["copied"] = _objects(runtime, snapshot, tenants)
        snapshot.document(KEYS, _keys(runtime, tenants, whole=tenant is None))
        snapshot.document(CREDENTIALS, _credentials(runtime, tenants))
        snapshot.document(CHECKPOINTS, sealed)
        snapshot.end(manifest, runtime.keys.backup_signing_key())
    return {**manifest, "signed_by": signer(runtime.keys.backup_signing_key().public_key())}


def _require_recipient(folder: BackupFolder, recipient: str) -> None:
    """Return when the folder's backups are sealed to this recipient; the first of a folder is written down in it.

    Raises InputError for another: its snapshots would share objects that its key does not open.
    """
    place = folder.root / RECIPIENT
    try:
        held = place.read_text()
    except FileNotFoundError:
        draft = place.with_name(f".{RECIPIENT}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(recipient)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
        sync(folder.root)
        return
    if held.strip() != recipient:
        raise InputError(
            "The backups in that folder are sealed to another recipient",
            where=str(folder.root),
            remedy="Give the backups for the new recovery key a folder of their own.",
        )


class _Snapshot:
    def __init__(self, folder: BackupFolder, identifier: str, sealer: Sealer, taken_at: datetime) -> None:
        self.taken_at = taken_at
        self.folder = folder
        self.identifier = identifier
        self.sealer = sealer
        self.digests: dict[str, str] = {}

    def document(self, name: str, value: Any) -> None:
        content = json.dumps(value).encode()
        self.digests[name] = hashlib.sha256(content).hexdigest()
        with self.sealer.file(self._place(name), f"{self.identifier}/{name}", self.folder.root) as file:
            file.write(content)

    def end(self, manifest: dict[str, Any], key: Ed25519PrivateKey) -> None:
        """Sign all parts, and write the manifest, with which the snapshot is whole."""
        digest = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
        self.document(SIGNATURE, signed(key, self.identifier, {**self.digests, MANIFEST: digest}))
        self.document(MANIFEST, manifest)

    def table(self, connection: Connection, table: Table, tenant: TenantId | None) -> dict[str, Any]:
        sha256, rows = hashlib.sha256(), 0
        with self.sealer.file(self._place(table.path), f"{self.identifier}/{table.path}", self.folder.root) as file:
            for block in copy_out(connection, table, tenant):
                sha256.update(block)
                rows += block.count(b"\n")
                file.write(block)
        return {"path": table.path, "columns": table.columns, "rows": rows, "sha256": sha256.hexdigest()}

    def _place(self, name: str) -> Path:
        return self.folder.snapshot(self.identifier) / name


def _rows(runtime: Runtime, snapshot: _Snapshot, tenant: TenantId | None) -> dict[str, Any]:
    try:
        with runtime.database.administration() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL row_security = off")  # an error, where it would leave rows out in silence
            version = connection.execute("SELECT version_num FROM public.tenant_runtime_version").fetchone()
            assert version is not None
            rows = connection.execute("SELECT id FROM runtime.tenants ORDER BY id").fetchall()
            tenants = [tenant] if tenant else [TenantId(row["id"]) for row in rows]
            tables = [
                snapshot.table(connection, table, tenant)
                for table in runtime_tables(connection)
                if tenant is None or table.tenant_column
            ]
            served = {
                each: [snapshot.table(connection, table, None) for table in serving_tables(connection, each)]
                for each in tenants
            }
    except InsufficientPrivilege:
        raise SettingsError(
            "The database role may not read every row, and a backup leaves none out",
            where="TENANT_RUNTIME_DATABASE_DSN",
            remedy="Take backups with a role that has BYPASSRLS, or with a superuser.",
        ) from None
    return {"revision": version["version_num"], "tenants": tenants, "tables": tables, "served": served}


def _objects(runtime: Runtime, snapshot: _Snapshot, tenants: list[TenantId]) -> tuple[int, int]:
    """Copy what the folder has not; return how many objects the snapshot has, and how many were copied."""
    listed, copied, sha256 = 0, 0, hashlib.sha256()
    destroyed = set(runtime.keys.destroyed())
    with snapshot.sealer.file(
        snapshot.folder.snapshot(snapshot.identifier) / OBJECTS, f"{snapshot.identifier}/{OBJECTS}",
        snapshot.folder.root,
    ) as names:  # fmt: skip
        for tenant in tenants:
            for name, size in contents(runtime, tenant) if tenant not in destroyed else ():
                try:
                    copied += _object(runtime, snapshot, tenant, name, size)
                except NotFoundError:
                    continue  # pruned or erased since it was listed
                names.write(f"{name}\n".encode())
                sha256.update(f"{name}\n".encode())
                listed += 1
    snapshot.digests[OBJECTS] = sha256.hexdigest()
    return listed, copied


def _object(runtime: Runtime, snapshot: _Snapshot, tenant: TenantId, name: str, size: int) -> bool:
    """Have an object in the folder, of the size that it must have and as new as the snapshot; whether it was copied."""
    place = snapshot.folder.object(name)
    copied = not place.exists() or place.stat().st_size != size
    if copied:
        _copy(runtime, snapshot, tenant, name)
    newer = max(place.stat().st_mtime, snapshot.taken_at.timestamp())
    os.utime(place, (newer, newer))
    return copied


def _copy(runtime: Runtime, snapshot: _Snapshot, tenant: TenantId, name: str) -> None:
    _, zone, _, digest = name.split("/")
    sha256 = hashlib.sha256()
    with (
        zone_of(runtime, tenant, zone).open(digest) as stream,  # type: ignore[arg-type]
        snapshot.sealer.file(snapshot.folder.object(name), name, snapshot.folder.root) as file,
    ):
        while data := stream.read(READ_BYTES):
            sha256.update(data)
            file.write(data)
        if sha256.hexdigest() != digest:
            raise damaged(name)


def _keys(runtime: Runtime, tenants: list[TenantId], *, whole: bool) -> dict[str, Any]:
    return {
        "master": runtime.keys.master_key().hex() if whole else None,
        "tenants": {
            tenant: {name: key.hex() for name, key in runtime.keys.keys_of(tenant).items()} for tenant in tenants
        },
        "destroyed": [tenant for tenant in runtime.keys.destroyed() if whole or tenant in tenants],
    }


def _checkpoints(runtime: Runtime, tenant: TenantId | None) -> list[Checkpoint]:
    """The chains in which the tenants' checkpoints stand, as they are before the rows are read.

    What they seal is committed, and among the rows. Read later they could seal entries that came since.
    """
    tenants = [tenant] if tenant else [TenantId(row["id"]) for row in registry.list_tenants(runtime)]
    return runtime.audit.checkpoints_of(tenants)


def _credentials(runtime: Runtime, tenants: list[TenantId]) -> dict[str, str]:
    """Encrypted with the tenants' keys as they lie there."""
    root = runtime.settings.credentials_directory
    files = (path for tenant in tenants for path in sorted((root / tenant).glob("*")) if not path.suffix)
    return {str(path.relative_to(root)): path.read_bytes().hex() for path in files}


def _forget_erased(runtime: Runtime, folder: BackupFolder) -> None:
    make_private_folder(folder.root / "erased", folder.root)
    for tenant in runtime.keys.destroyed():
        (folder.root / "erased" / tenant).touch(mode=0o600)
    for tenant in folder.erased():
        shutil.rmtree(folder.root / OBJECTS / tenant, ignore_errors=True)
    make_private_folder(folder.root / "erased-keys", folder.root)
    for tenant, key_id in destroyed_keys(runtime):
        (folder.root / "erased-keys" / f"{tenant}.{key_id}").touch(mode=0o600)
