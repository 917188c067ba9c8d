"""How a backup folder is laid out: objects once for all snapshots, and a folder a snapshot whose manifest comes last.

    objects/<tenant>/<zone>/<ab>/<sha256>    what a stored file holds, by content: written once, kept by later snapshots
    snapshots/<id>/<part>                    tables, keys, credentials, checkpoints, the list of objects, the manifest
    erased/<tenant>                          empty: this tenant is never brought back

All but `erased/` is sealed to the recovery key. Names tell tenants' ids, digests and sizes, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenant_pipeline.core.errors import InputError, IntegrityError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.object_store import Zone
from tenant_pipeline.storage.sealed_file import Opener

FORMAT = 1
MANIFEST = "manifest"
OBJECTS = "objects"
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

    def erased(self) -> set[TenantId]:
        """The tenants that are never brought back."""
        return {tenant_id(path.name) for path in self.root.glob("erased/*")}

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


def content_names(runtime: Runtime, tenant: TenantId) -> Iterator[str]:
    """The names of the tenant's stored files; not of those in the making, nor of uploads that have not ended."""
    for name, _ in runtime.objects.listed(tenant):
        parts = name.split("/")
        if len(parts) == 4 and parts[1] in ZONES and parts[3].startswith(parts[2]) and len(parts[3]) == 64:
            yield name


def damaged(name: str) -> IntegrityError:
    """What is said of a file whose bytes are not those of its name."""
    return IntegrityError(
        "A stored file is not what its name says", where=name, remedy="Hand its source in again, or restore it."
    )
