"""Where signed audit checkpoints are kept, outside the database: a file of this machine, or objects of a bucket."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from tenant_pipeline.core.digest import canonical_json
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.storage.object_store_bucket import BucketStore

Checkpoint = Mapping[str, Any]
"""A signed tree head: tenant, size, root, peaks, at, previous, signature."""

FOLDER, LAST = "_audit", "_sealed"
"""Names that no tenant can have: what is a tenant's is deleted with the tenant."""


class Checkpoints(Protocol):
    """Checkpoints in chains: each names the digest of the one before it. They are added, never changed."""

    @property
    def apart(self) -> bool:
        """Whether each tenant has a chain of its own."""

    def chain(self, tenant: TenantId) -> list[Checkpoint]:
        """The chain in which the tenant's checkpoints stand, oldest first; others' may stand in it too."""

    def bring_back(self, chain: Sequence[Checkpoint]) -> bool:
        """Write a chain as it was, where there is nothing yet; False where another stands there."""

    def add(self, tenant: TenantId, make: Callable[[Checkpoint | None], Checkpoint]) -> None:
        """Add what `make` makes of the last checkpoint of the chain. The caller holds the tenant's audit lock."""

    def sealed_at(self) -> datetime | None:
        """When a checkpoint was last added, of whatever tenant; None before the first. It proves nothing."""


class CheckpointFile:
    """One chain for all tenants, a line a checkpoint, in a file that belongs on write-once storage."""

    apart = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def chain(self, tenant: TenantId) -> list[Checkpoint]:
        """Every line."""
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_bytes().splitlines()]

    def bring_back(self, chain: Sequence[Checkpoint]) -> bool:
        """Write the lines, in a file that appears whole."""
        there = self._path.read_bytes().splitlines() if self._path.exists() else []
        if there:
            return [json.loads(line) for line in there] == list(chain)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._path.with_suffix(".restored")
        with draft.open("wb") as file:
            file.writelines(canonical_json(dict(line)) + b"\n" for line in chain)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        return True

    def add(self, tenant: TenantId, make: Callable[[Checkpoint | None], Checkpoint]) -> None:
        """Append a line; processes take turns."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            lines = file.read().splitlines()
            made = make(json.loads(lines[-1]) if lines else None)
            file.write(canonical_json(dict(made)) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def sealed_at(self) -> datetime | None:
        """When the file was last written."""
        try:
            return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None


class CheckpointObjects:
    """A chain a tenant, an object a checkpoint, named by the size of the log that it seals; none is written twice.

    A store that knows If-None-Match refuses the second writing itself. Keep the prefix under the bucket's object lock:
    then nobody, whatever credentials they hold, takes a checkpoint away.
    """

    apart = True

    def __init__(self, bucket: BucketStore) -> None:
        self._bucket = bucket

    def chain(self, tenant: TenantId) -> list[Checkpoint]:
        """The tenant's checkpoints, by the size of the log that they seal."""
        names = sorted(name for name, _ in self._bucket.listed(_folder(tenant)))
        return [json.loads(self._bucket.read(name)) for name in names]

    def bring_back(self, chain: Sequence[Checkpoint]) -> bool:
        """Write those that are missing."""
        for line in chain:
            self._bucket.create(_name(line["tenant"], line), canonical_json(dict(line)))
        there = [line for tenant in {line["tenant"] for line in chain} for line in self.chain(tenant)]
        return all(line in there for line in chain)

    def add(self, tenant: TenantId, make: Callable[[Checkpoint | None], Checkpoint]) -> None:
        """Write one object. Raises IntegrityError where there is one of that size, written by somebody else."""
        chain = self.chain(tenant)
        made = make(chain[-1] if chain else None)
        if not self._bucket.create(_name(tenant, made), canonical_json(dict(made))):
            raise IntegrityError(
                "There is a checkpoint of that size already",
                where=f"audit log of {tenant}",
                remedy="Check it with `tenant-pipeline audit verify`, and find out who wrote it.",
            )
        self._bucket.write(LAST, str(made["at"]).encode())

    def sealed_at(self) -> datetime | None:
        """What the last one left beside the chains, so that nobody has to list them all."""
        try:
            return datetime.fromisoformat(self._bucket.read(LAST).decode())
        except FileNotFoundError:
            return None


def _name(tenant: TenantId, checkpoint: Checkpoint) -> str:
    return f"{_folder(tenant)}/{checkpoint['size']:020d}.json"


def _folder(tenant: TenantId) -> str:
    return f"{FOLDER}/{tenant_id(tenant)}"
