"""Where signed audit checkpoints are kept, outside the database: a file of this machine, or objects of a bucket."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from tenant_pipeline.core.digest import canonical_json
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.storage.object_store_bucket import BucketStore

Checkpoint = Mapping[str, Any]
"""A signed tree head: tenant, size, root, peaks, at, previous, signature."""

FOLDER, LAST = "_audit", "_sealed"
"""Names that no tenant can have: what is a tenant's is deleted with the tenant."""
BLOCK_BYTES = 64 * 1024
READS_AT_ONCE = 8
FIRST_LOOK_BACK, FARTHER = 64, 8
"""In how many of a log's last entries its last checkpoint is looked for, and how many times as many next."""


class Checkpoints(Protocol):
    """Checkpoints in chains: each names the digest of the one before it. They are added, never changed."""

    @property
    def apart(self) -> bool:
        """Whether each tenant has a chain of its own."""

    def chain(self, tenant: TenantId) -> list[Checkpoint]:
        """The chain in which the tenant's checkpoints stand, oldest first; others' may stand in it too."""

    def bring_back(self, chain: Sequence[Checkpoint]) -> bool:
        """Write a chain as it was, where there is nothing yet; False where another stands there."""

    def last(self, tenant: TenantId, size: int) -> Checkpoint | None:
        """The tenant's last checkpoint, found without reading those before it; None where there is none.

        `size` is how many entries the tenant's log has: near it, one is looked for first. It may lie behind it.
        """

    def add(self, tenant: TenantId, last: Checkpoint | None, make: Callable[[Checkpoint | None], Checkpoint]) -> None:
        """Add what `make` makes of the last checkpoint of the chain; `last` is the tenant's.

        The caller has held the tenant's audit lock since it asked for the last one.
        """

    def sealed_at(self) -> datetime | None:
        """When a checkpoint was last added, of whatever tenant; None before the first. It proves nothing."""


class CheckpointFile:
    """One chain for all tenants, a line a checkpoint, in a file that belongs on write-once storage."""

    apart = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parsed_before: tuple[bytes, list[Checkpoint]] = b"", []

    def chain(self, tenant: TenantId) -> list[Checkpoint]:
        """Every line. Raises IntegrityError for one that is not whole.

        Who asks for one tenant after the other has the file parsed once: the same list, while its bytes are the same.
        """
        with self._reading() as file:
            lines = file.read() if file else b""
        digest = hashlib.sha256(lines).digest()
        if digest != self._parsed_before[0]:
            self._parsed_before = digest, [self._parsed(line) for line in lines.splitlines()]
        return self._parsed_before[1]

    def last(self, tenant: TenantId, size: int) -> Checkpoint | None:
        """The tenant's last line: what is read is what was added since by others, from the end on in blocks."""
        name = canonical_json(tenant)
        with self._reading() as file:
            for line in _lines_from_the_end(file) if file else ():
                if name in line and (found := self._parsed(line))["tenant"] == tenant:
                    return found
        return None

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

    def add(self, tenant: TenantId, last: Checkpoint | None, make: Callable[[Checkpoint | None], Checkpoint]) -> None:
        """Append a line; processes take turns. Raises IntegrityError where the one before it is not whole."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = next(_lines_from_the_end(file), None)
            made = make(self._parsed(before) if before else None)
            file.write(canonical_json(dict(made)) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def sealed_at(self) -> datetime | None:
        """When the file was last written."""
        try:
            return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    @contextmanager
    def _reading(self) -> Iterator[BinaryIO | None]:
        """The file while nobody adds to it, None where there is none."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield file

    def _parsed(self, line: bytes) -> Checkpoint:
        return _parsed(line, self._path.name)


class CheckpointObjects:
    """A chain a tenant, an object a checkpoint, named by the size of the log that it seals; none is written twice.

    A store that knows If-None-Match refuses the second writing itself. Keep the prefix under the bucket's object lock:
    then nobody, whatever credentials they hold, takes a checkpoint away.
    """

    apart = True

    def __init__(self, bucket: BucketStore) -> None:
        self._bucket = bucket

    def chain(self, tenant: TenantId) -> list[Checkpoint]:
        """The tenant's checkpoints, by the size of the log that they seal. Raises IntegrityError for a damaged one."""
        names = sorted(name for name, _ in self._bucket.listed(_folder(tenant)))
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            return list(pool.map(self._read, names))

    def last(self, tenant: TenantId, size: int) -> Checkpoint | None:
        """The object of the largest size; names are listed from shortly before `size` on, then from ever earlier."""
        look_back = FIRST_LOOK_BACK
        while True:
            after = _name(tenant, size - look_back) if look_back < size else None
            name = max((name for name, _ in self._bucket.listed(_folder(tenant), after=after)), default=None)
            if name is not None:
                return self._read(name)
            if after is None:
                return None
            look_back *= FARTHER

    def bring_back(self, chain: Sequence[Checkpoint]) -> bool:
        """Write those that are missing."""
        for line in chain:
            self._bucket.create(_name(line["tenant"], line["size"]), canonical_json(dict(line)))
        there = {
            canonical_json(dict(line)) for tenant in {line["tenant"] for line in chain} for line in self.chain(tenant)
        }
        return all(canonical_json(dict(line)) in there for line in chain)

    def add(self, tenant: TenantId, last: Checkpoint | None, make: Callable[[Checkpoint | None], Checkpoint]) -> None:
        """Write one object. Raises IntegrityError where there is one of that size, written by somebody else."""
        made = make(last)
        if not self._bucket.create(_name(tenant, made["size"]), canonical_json(dict(made))):
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

    def _read(self, name: str) -> Checkpoint:
        return _parsed(self._bucket.read(name), name)


def _parsed(line: bytes, where: str) -> Checkpoint:
    try:
        checkpoint: Checkpoint = json.loads(line)
    except ValueError:
        raise IntegrityError(
            "A checkpoint is not whole",
            where=where,
            remedy="Bring it back from write-once storage; a last line that a crash has cut can be taken off.",
        ) from None
    return checkpoint


def _lines_from_the_end(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file from the last to the first, read in blocks."""
    position, rest = file.seek(0, os.SEEK_END), b""
    while position:
        length = min(BLOCK_BYTES, position)
        position = file.seek(position - length)
        rest, *lines = (file.read(length) + rest).split(b"\n")
        yield from filter(None, reversed(lines))  # behind the last line break there is nothing
    if rest:
        yield rest


def _name(tenant: TenantId, size: int) -> str:
    return f"{_folder(tenant)}/{size:020d}.json"


def _folder(tenant: TenantId) -> str:
    return f"{FOLDER}/{tenant_id(tenant)}"
