"""Statements about generated halls, as `map` writes them, and the folder of a stage store to keep them in."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tenant_pipeline.core.tables import BATCH_ROWS
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.stage_store import StageStore, StoredStage

NO_DIGEST = Sha256("0" * 64)
_SAID = (
    ("identifier", "identifier", "", "HL-{0:07d}"),
    ("name", "name", "en", "Hall {0} of the register"),
    ("name", "name", "th", "โถง {0} ของทะเบียน"),
    ("address", "address", "en", "{0}/7 Dibuk Road, Phuket"),
    ("geo", "geo", "", "7.{0:06d},98.{0:06d}"),
    ("maximumAttendeeCapacity", "number", "", "{0:,}"),
    ("telephone", "telephone", "", "081{0:07d}"),
    ("url", "url", "", "https://hall{0}.example/"),
)
"""What is said of a hall: property, datatype, language, and the value that is its number's own."""
STATEMENTS_A_HALL = len(_SAID)


@contextmanager
def stage_store() -> Iterator[StageStore]:
    """A store in a folder that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="components-") as folder:
        yield StageStore(ObjectStore(Path(folder)), TenantId("benchmark"), b"0" * 32)


def statement_rows(halls: int, distinct: int) -> Iterator[pd.DataFrame]:
    """Everything that is said of so many halls, batch by batch; only so many of them differ in what is said."""
    a_batch = BATCH_ROWS // STATEMENTS_A_HALL
    for first in range(0, halls, a_batch):
        yield _frame(range(first, min(first + a_batch, halls)), distinct)


def links_of(halls: int) -> pd.DataFrame:
    """A link of each hall to an entity of its own."""
    ids = [_entity(number) for number in range(halls)]
    return _texts({"entity_id": ids, "canonical_id": ["can-" + each[4:] for each in ids]})


def stored(store: StageStore, stage: str, role: str, frames: Iterator[pd.DataFrame]) -> StoredStage:
    """The output of a stage with one table of these rows."""
    rows = 0
    with store.write(stage, NO_DIGEST, "benchmark", encrypted=False) as out:
        with out.table("t00001", role) as table:
            for frame in frames:
                table.write(frame)
                rows += len(frame)
        digest = out.commit((StageCount("row", rows, rows, 0, 0, rows, "row"),))
    return store.read(digest)


def _frame(numbers: range, distinct: int) -> pd.DataFrame:
    rows = [
        (
            _entity(number), "EventVenue", property_, value.format(number % distinct), value.format(number % distinct),
            lang, datatype, f"o00001#row={number + 2}", "mapping:halls@1.0.0", "", "",
        )
        for number in numbers
        for property_, datatype, lang, value in _SAID
    ]  # fmt: skip
    return _texts(dict(zip(STATEMENT_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))


def _entity(number: int) -> str:
    """Digests, as real ids are: their order is nobody's."""
    return "ent-" + hashlib.sha256(str(number).encode()).hexdigest()[:24]


def _texts(columns: dict[str, list[str]]) -> pd.DataFrame:
    frame: pd.DataFrame = pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()}).to_pandas(
        types_mapper=pd.ArrowDtype
    )
    return frame
