"""How a backup folder is laid out: objects once for all snapshots, and a folder a snapshot whose manifest comes last.

    objects/<tenant>/<zone>/<ab>/<sha256>    what a stored file holds, by content: written once, kept by later snapshots
    snapshots/<id>/<part>                    tables, keys, credentials, checkpoints, objects' names, signature, manifest
    erased/<tenant>                          empty: this tenant is never brought back
    erased-keys/<tenant>.<key id>            empty: nor is this digest key, once another is in use
    recipient                                to whom all of it is sealed, from the first backup on

All but the last three is sealed to the recovery key. Names tell ids of tenants and keys, digests and sizes, no more. An
object's file is as new as the newest snapshot that has it: so it can be told without the key which objects none has.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenant_pipeline.core.errors import InputError, IntegrityError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.encrypted_file import encrypted_size
from tenant_pipeline.storage.object_store import Zone
from tenant_pipeline.storage.private_folder import make_private_folder
from tenant_pipeline.storage.sealed_file import PUBLIC_BYTES, Opener

FORMAT = 1
TAKEN_AT = "%Y%m%dT%H%M%SZ"
"""How a snapshot's id begins."""
MANIFEST = "manifest"
OBJECTS = "objects"
RECIPIENT = "recipient"
KEYS = "keys"
CREDENTIALS = "credentials"
CHECKPOINTS = "checkpoints"
ZONES = ("raw", "stages")


@dataclass(frozen=True)
class BackupFolder:
    """A folder with backups in it."""

    root: Path

    def snapshot(self, identifier: str) -> Path:
        """Where a snapshot's parts lie."""
        return self.root / "snapshots" / identifier

    def object(self, name: str) -> Path:
        """Where an object of that name in the store is kept."""
        return self.root / OBJECTS / name

    def snapshots(self) -> list[str]:
        """The ids of the snapshots that are whole, oldest first."""
        return sorted(path.parent.name for path in self.root.glob(f"snapshots/*/{MANIFEST}"))

    def existing(self) -> BackupFolder:
        """This folder. Raises NotFoundError where there is none."""
        if not self.root.is_dir():
            raise NotFoundError("There is no such backup folder", where=str(self.root), remedy="Check the path.")
        return self

    def erased(self) -> set[TenantId]:
        """The tenants that are never brought back."""
        return {tenant_id(path.name) for path in self.root.glob("erased/*")}

    def erased_keys(self, tenant: TenantId) -> set[str]:
        """The ids of the tenant's digest keys that were destroyed."""
        return {path.name.partition(".")[2] for path in self.root.glob(f"erased-keys/{tenant}.*")}

    def object_names(self, opener: Opener, identifier: str) -> Iterator[str]:
        """The names of the objects that a snapshot has."""
        with opener.open(self.snapshot(identifier) / OBJECTS, f"{identifier}/{OBJECTS}") as names:
            for line in names:
                yield line.decode().rstrip("\n")

    def part(self, opener: Opener, identifier: str, name: str) -> Any:
        """A part of a snapshot that is JSON. Raises NotFoundError for no such snapshot, IntegrityError."""
        if identifier not in self.snapshots():
            raise NotFoundError(
                "There is no such snapshot", where=identifier, remedy="`tenant-pipeline backup list` shows them."
            )
        with opener.open(self.snapshot(identifier) / name, f"{identifier}/{name}") as stream:
            return json.load(stream)

    def manifest(self, opener: Opener, identifier: str) -> dict[str, Any]:
        """A snapshot's manifest. Raises InputError where it is of a newer form than this code knows."""
        manifest: dict[str, Any] = self.part(opener, identifier, MANIFEST)
        if manifest["format"] != FORMAT:
            raise InputError(
                "The backup is of a form that this code does not know",
                where=identifier,
                remedy="Use the release that took it.",
            )
        return manifest


def zone_of(runtime: Runtime, tenant: TenantId, zone: str) -> Zone:
    """One of the tenant's zones, by the name that its files' names have it."""
    if zone == "raw":
        return runtime.raw_zone(tenant)
    return Zone(runtime.objects, tenant, zone, None if runtime.objects.private else runtime.keys.raw_zone_key(tenant))


def contents(runtime: Runtime, tenant: TenantId) -> Iterator[tuple[str, int]]:
    """The names of the tenant's stored files, not of those in the making nor of uploads that have not ended; and how
    many bytes each has once it is sealed."""
    for name, size in runtime.objects.listed(tenant):
        parts = name.split("/")
        if len(parts) == 4 and parts[1] in ZONES and parts[3].startswith(parts[2]) and len(parts[3]) == 64:
            plain = parts[1] != "raw" and runtime.objects.private
            yield name, PUBLIC_BYTES + (encrypted_size(size) if plain else size)


def taken_at(identifier: str) -> datetime:
    """When a snapshot was taken, by its id."""
    return datetime.strptime(identifier.partition("-")[0], TAKEN_AT).replace(tzinfo=UTC)


@contextmanager
def writing(root: Path) -> Iterator[BackupFolder]:
    """A backup folder to write into, made where it is missing, and nobody else's for as long.

    Raises InputError while another process writes into it, and where it cannot be written.
    """
    try:
        make_private_folder(root, root)
        lock = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield BackupFolder(root)
        finally:
            os.close(lock)
    except BlockingIOError:
        raise InputError(
            "Another backup goes into that folder", where=str(root), remedy="Wait until it has ended."
        ) from None
    except OSError as error:
        raise InputError(
            f"The backup folder cannot be written: {error.strerror}",
            where=str(error.filename or root),
            remedy="Name a folder that this user may write to, with room; nothing half-taken counts as a snapshot.",
        ) from error


def damaged(name: str) -> IntegrityError:
    """What is said of a file whose bytes are not those of its name."""
    return IntegrityError(
        "A stored file is not what its name says", where=name, remedy="Hand its source in again, or restore it."
    )
