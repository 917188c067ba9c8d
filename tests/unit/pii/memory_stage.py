"""Stages in memory that keep to the protocols of core.tables, a key and a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.contract_terms import PiiPolicy
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.stage import Disposition, Reject
from tenant_pipeline.core.tables import BATCH_ROWS, StageReader, StageWriter, TableDescriptor, TableReader, field_column


def digest_key(key_id: str = "k1", secret: bytes = b"0" * 32) -> DigestKey:
    return DigestKey(key_id, secret)


def pii_policy(**terms: Any) -> PiiPolicy:
    """A policy of these terms; where they say nothing else, what is found is hashed."""
    policy = PiiPolicy(
        actions={},
        default_action="hash",
        fields=(),
        special_category_action="drop",
        quarantined_share_fail=0.05,
        requires_agreement=True,
    )
    return replace(policy, **terms)


@dataclass
class MemoryTable:
    descriptor: TableDescriptor
    frames: list[pd.DataFrame] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(map(len, self.frames))

    def write(self, frame: pd.DataFrame) -> None:
        assert len(frame) <= BATCH_ROWS
        assert not self.frames or list(frame.dtypes) == list(self.frames[0].dtypes)
        self.frames.append(frame)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        for frame in self.frames:
            yield frame if columns is None else frame[list(columns)]

    def whole(self) -> pd.DataFrame:
        return pd.concat(self.frames, ignore_index=True)


@dataclass
class MemoryStage:
    written: dict[str, MemoryTable] = field(default_factory=dict)
    rejects: list[dict[str, str]] = field(default_factory=list)
    documents: dict[str, Any] = field(default_factory=dict)

    def tables(self, role: str) -> list[TableReader]:
        return [table for table in self.written.values() if table.descriptor.role == role]

    def document(self, name: str, value: Any = None) -> Any:
        if value is None:
            return self.documents[name]
        self.documents[name] = value
        return value

    @contextmanager
    def table(
        self, name: str, role: str, *, fields: Sequence[str] = (), about: Mapping[str, Any] | None = None
    ) -> Iterator[MemoryTable]:
        table = MemoryTable(TableDescriptor(name, role, tuple(fields), dict(about or {})))
        yield table
        self.written[name] = table

    def reject(self, reject: Reject) -> None:
        self.rejects.append(
            {
                "locator": reject.locator,
                "code": reject.code,
                "reason": reject.reason,
                "disposition": str(reject.disposition),
            }
        )

    def reject_many(self, frame: pd.DataFrame) -> None:
        self.rejects.extend(frame.to_dict("records"))

    def rejected(self, disposition: Disposition) -> int:
        return sum(reject["disposition"] == str(disposition) for reject in self.rejects)

    def everything(self) -> str:
        """All text of the stage: values, names, descriptions, locators and rejects."""
        pieces = [repr(self.rejects)]
        for table in self.written.values():
            pieces += [repr(table.descriptor), *(frame.to_csv(index=False) for frame in table.frames)]
        return "\n".join(pieces)


_reads: type[StageReader] = MemoryStage
_writes: type[StageWriter] = MemoryStage


def records_stage(
    columns: Mapping[str, Sequence[str | None]],
    *,
    about: Mapping[str, Any] | None = None,
    locators: Sequence[str] | None = None,
    batch: int = BATCH_ROWS,
) -> MemoryStage:
    """An extract stage of one table with these columns under their original names."""
    rows = len(next(iter(columns.values())))
    table = pa.table(
        {
            "record": pa.array(range(rows), type=pa.int64()),
            "locator": pa.array(locators or [f"o00001#row={row + 2}" for row in range(rows)], type=pa.string()),
            **{
                field_column(position): pa.array(values, type=pa.string())
                for position, values in enumerate(columns.values())
            },
        }
    )
    stage = MemoryStage()
    description = {"object": "o00001", "path": "list.csv", "reader": "csv", "name": "list", "shape": "records"}
    with stage.table("t00001", "records", fields=tuple(columns), about={**description, **(about or {})}) as writer:
        for start in range(0, rows, batch):
            writer.write(table.slice(start, batch).to_pandas(types_mapper=pd.ArrowDtype))
    return stage
