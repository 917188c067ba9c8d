"""A stage's output: Parquet tables, JSON documents and rejects, under the digest of a manifest that names them all.

Everything is content-addressed by its plain bytes, so the same output is the same digest; what comes before `screen`
lies encrypted in the raw zone, and outside this machine all of it is encrypted. Tables are written and read in bounded
batches. Nothing is visible before `commit`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from tenant_pipeline.core.digest import Sha256, canonical_json
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.stage import Disposition, Reject, StageCount
from tenant_pipeline.core.tables import StageReader, StageWriter, TableDescriptor, TableReader
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.object_store import Objects, RawZone, Zone
from tenant_pipeline.storage.object_store_draft import Draft
from tenant_pipeline.storage.parquet_table import ParquetTable, read_batches

if TYPE_CHECKING:
    import pandas as pd

REJECTS = "rejects"
REJECT_COLUMNS = ("locator", "code", "reason", "disposition")
REJECTS_WAITING = 10_000


class StageStore:
    """The stage outputs of one tenant."""

    def __init__(self, store: Objects, tenant: TenantId, raw_zone_key: bytes) -> None:
        self.plain = Zone(store, tenant, "stages", None if store.private else raw_zone_key)
        self._raw = RawZone(store, tenant, raw_zone_key)

    @contextmanager
    def write(self, stage: str, input_digest: Sha256, code_version: str, *, encrypted: bool) -> Iterator[StageOutput]:
        """A new output. Without `commit` in the block, nothing of it stays."""
        zone = self._raw if encrypted else self.plain
        with zone.draft() as draft, ExitStack() as rejects:
            yield StageOutput(draft, rejects, stage, input_digest, code_version)

    def read(self, digest: Sha256) -> StoredStage:
        """The output of that digest. Raises NotFoundError, or IntegrityError where its manifest was changed."""
        with self.fetch(digest) as stream:
            try:
                manifest = json.load(stream)
                return StoredStage(self, digest, manifest, tuple(StageCount(**count) for count in manifest["counts"]))
            except (ValueError, KeyError, TypeError):
                raise NotFoundError("That file is not the manifest of a stage's output", where=digest) from None

    def __contains__(self, digest: Sha256) -> bool:
        return digest in self.plain or digest in self._raw

    def fetch(self, digest: Sha256) -> BinaryIO:
        """One file of an output, from whichever zone it lies in. Raises NotFoundError and IntegrityError."""
        return (self.plain if digest in self.plain else self._raw).open(digest)


class StageOutput:
    """A stage's output in the making: the StageWriter that a stage's function fills."""

    def __init__(self, draft: Draft, rejects: ExitStack, stage: str, input_digest: Sha256, code_version: str) -> None:
        self._draft = draft
        self._rejects = rejects
        self._lineage = {"stage": str(stage), "input_digest": input_digest, "code_version": code_version}
        self._names: set[tuple[str, str]] = set()
        self._open = 0
        self._tables: list[dict[str, Any]] = []
        self._documents: dict[str, Sha256] = {}
        self._dispositions: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._waiting: list[Reject] = []
        self._reject_table: ParquetTable | None = None

    @contextmanager
    def table(
        self, name: str, role: str, *, fields: Sequence[str] = (), about: Mapping[str, Any] | None = None
    ) -> Iterator[ParquetTable]:
        """A table to write batches to. A table to which nothing is written has no columns and no rows.

        A table whose block is left by an exception is given up. Raises ValueError when the stage has a table of that
        name and role already.
        """
        if (role, name) in self._names:
            raise ValueError("the stage has a table of that name and role already")
        self._names.add((role, name))
        self._open += 1
        with self._draft.new_file() as file:
            table = ParquetTable(file)
            try:
                yield table
            except BaseException:
                self._names.discard((role, name))
                raise
            finally:
                self._open -= 1
                table.close()
            entry = {"name": name, "role": role, "fields": list(fields), "about": dict(about or {})}
            self._tables.append({**entry, "rows": table.rows, "columns": table.columns, "sha256": file.finish()})

    def document(self, name: str, value: Any) -> None:
        """A JSON document; written again, it replaces what was written before."""
        with self._draft.new_file() as file:
            file.write(canonical_json(value))
            self._documents[name] = file.finish()

    def reject(self, reject: Reject) -> None:
        """Note a row that did not pass."""
        self._waiting.append(reject)
        if len(self._waiting) >= REJECTS_WAITING:
            self._flush()

    def reject_many(self, frame: pd.DataFrame) -> None:
        """Note rows that did not pass: locator, code, reason, disposition.

        Raises ValueError for a disposition that is none.
        """
        self._flush()
        if len(frame):
            self._write_rejects(frame[list(REJECT_COLUMNS)])

    def rejected(self, disposition: Disposition) -> int:
        """How many rows were rejected with this disposition so far."""
        self._flush()
        return self._dispositions[str(disposition)]

    @property
    def reject_codes(self) -> dict[str, int]:
        """How many rows were rejected, by code."""
        self._flush()
        return dict(sorted(self._codes.items()))

    def commit(self, counts: tuple[StageCount, ...]) -> Sha256:
        """Make the output visible and return its digest: the SHA-256 of its manifest.

        Committed again in another run, the same output is found and nothing is written. Raises ValueError while a
        table is still being written.
        """
        self._flush()
        self._rejects.close()
        if self._open:
            raise ValueError("a table of the stage is still being written")
        manifest: dict[str, Any] = {
            **self._lineage,
            "tables": sorted(self._tables, key=lambda table: (table["role"], table["name"])),
            "documents": self._documents,
            "counts": [asdict(count) for count in counts],
            "rejected": {"dispositions": dict(self._dispositions), "codes": dict(self._codes)},
        }
        with self._draft.new_file() as file:
            file.write(canonical_json(manifest))
            digest = file.finish()
        self._draft.publish()
        return digest

    def _flush(self) -> None:
        if self._waiting:
            # Loaded where rows are: most commands have none in hand.
            import pandas as pd

            frame = pd.DataFrame([asdict(reject) for reject in self._waiting], dtype=pd.ArrowDtype(pa.string()))
            self._waiting.clear()
            self._write_rejects(frame)

    def _write_rejects(self, frame: pd.DataFrame) -> None:
        dispositions, codes = (Counter(frame[name].astype(str).tolist()) for name in ("disposition", "code"))
        for disposition in dispositions:
            Disposition(disposition)
        if self._reject_table is None:
            self._reject_table = self._rejects.enter_context(self.table(REJECTS, REJECTS))
        self._reject_table.write(frame)
        self._dispositions.update(dispositions)
        self._codes.update(codes)


@dataclass(frozen=True)
class StoredStage:
    """A stage's output as it is read."""

    store: StageStore
    digest: Sha256
    manifest: Mapping[str, Any]
    counts: tuple[StageCount, ...]

    def tables(self, role: str) -> list[TableReader]:
        """The tables of a role, in the order of their names."""
        return [StoredTable(self.store, entry) for entry in self.manifest["tables"] if entry["role"] == role]

    def document(self, name: str) -> Any:
        """A JSON document. Raises NotFoundError when the stage wrote none of that name."""
        try:
            digest = self.manifest["documents"][name]
        except KeyError:
            raise NotFoundError(f"The stage wrote no document {name}", where=self.digest) from None
        with self.store.fetch(digest) as stream:
            return json.load(stream)

    def rejects(self) -> Iterator[pd.DataFrame]:
        """The rows that did not pass (locator, code, reason, disposition), in bounded batches."""
        for table in self.tables(REJECTS):
            yield from table.batches()


@dataclass(frozen=True)
class StoredTable:
    """A table of a stage's output."""

    store: StageStore
    entry: Mapping[str, Any]

    @property
    def descriptor(self) -> TableDescriptor:
        """The table's name, role, fields, and what its reader knew of it."""
        entry = self.entry
        return TableDescriptor(entry["name"], entry["role"], tuple(entry["fields"]), entry["about"])

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns; none when nothing, not even an empty frame, was written."""
        return tuple(self.entry["columns"])

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.entry["rows"])

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """The rows in their order, at most BATCH_ROWS at a time. Raises IntegrityError where the file was changed."""
        if self.rows:
            with self.store.fetch(self.entry["sha256"]) as stream:
                yield from read_batches(stream, columns)


_reads: type[StageReader] = StoredStage
_writes: type[StageWriter] = StageOutput
