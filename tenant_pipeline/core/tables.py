"""What travels between stages: named tables of bounded batches, and small JSON documents.

A stage is a function of a StageReader (its input) that fills a StageWriter (its output). Both are kept behind
these protocols, so that a stage never learns where its data lies or whether that place is encrypted.

Frames are pandas frames with Arrow-backed dtypes (`pandas.ArrowDtype`) of at most BATCH_ROWS rows.

Roles, and the columns a table of that role has:

`manifest`   what receive took in: object, path, sha256, size, media_type, container, origin (all text; size int64)
`records`    rows of a source: record (int64, from 0 within the table), locator, then the source's fields as text
             columns named `f0000`, `f0001`…; the field's own names are in the descriptor's `fields`
`statements` entity_id, type, property, value, raw_value, lang, datatype, locator, method, valid_from, valid_to
`findings`   entity_type, table, field, count (int64), max_score (float64), sample_digest, action, category, declaration
`links`      entity_id, canonical_id, type, method, score (float64), explanation (JSON text)
`rejects`    locator, code, reason, disposition
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.stage import Disposition, Reject

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 50_000


def field_column(position: int) -> str:
    """The column that a `records` table keeps its source's field of that position in."""
    return f"f{position:04d}"


@dataclass(frozen=True)
class TableDescriptor:
    """A table's name within its stage, its role, the names of its source fields, and what the reader knew of it.

    `about` is JSON: for records `{"object": "o00001", "reader": "csv", "name": "Sheet1"}` and what else the reader
    found worth keeping. Before `screen` it may hold raw values; from `screen` on it must not.
    """

    name: str
    role: str
    fields: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def field_columns(self) -> tuple[str, ...]:
        """The columns of the source's fields, in their order."""
        return tuple(map(field_column, range(len(self.fields))))


class TableReader(Protocol):
    """One table of a stage's output."""

    @property
    def descriptor(self) -> TableDescriptor: ...

    @property
    def rows(self) -> int: ...

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """The rows in their order, at most BATCH_ROWS at a time."""
        ...


class StageReader(Protocol):
    """The output of a stage, as the next one reads it."""

    def tables(self, role: str) -> list[TableReader]: ...

    def document(self, name: str) -> Any: ...


class TableWriter(Protocol):
    """A table being written; columns and dtypes of the first frame hold for all."""

    def write(self, frame: pd.DataFrame) -> None: ...


class StageWriter(Protocol):
    """The output of a stage in the making. Nothing is visible to a reader until the stage is committed."""

    def table(
        self, name: str, role: str, *, fields: Sequence[str] = (), about: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[TableWriter]: ...

    def document(self, name: str, value: Any) -> None: ...

    def reject(self, reject: Reject) -> None: ...

    def reject_many(self, frame: pd.DataFrame) -> None:
        """Rejects as a frame with the columns locator, code, reason and disposition."""
        ...

    def rejected(self, disposition: Disposition) -> int:
        """How many rows were rejected with this disposition so far."""
        ...


class RawObjects(Protocol):
    """A tenant's raw zone: whole files under their SHA-256, encrypted at rest with the tenant's key."""

    def put(self, stream: BinaryIO) -> tuple[Sha256, int]:
        """Store what `stream` holds, once, and return its digest and size in bytes."""
        ...

    def put_resumably(self, stream: BinaryIO, name: str) -> tuple[Sha256, int]:
        """As `put` for a seekable stream; what an interrupted call of the same name has stored is not read again."""
        ...

    def open(self, digest: Sha256) -> BinaryIO:
        """The file as a seekable, read-only binary stream. Raises IntegrityError when its bytes were changed."""
        ...
