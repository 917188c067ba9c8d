"""Adding a source of 1,000 rows to a tenant of many entities, against linking them all.

`python -m benchmarks.linking_incremental [--entities 50000] [--new 1000]` builds the tenant through the real link stage
into an embedded PostgreSQL, source by source, and then links one more. Prints JSON: seconds and rows a second of both,
their ratio, and the most memory that this process held (MiB).
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmarks.machine import print_found
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.digest import sha256_of_bytes
from tenant_pipeline.core.statement import STATEMENT_COLUMNS, entity_id
from tenant_pipeline.core.tables import BATCH_ROWS
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.link import link
from tenant_pipeline.services import registry
from tenant_pipeline.services.entity_index import PostgresEntityIndex
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.stage_store import StageStore

TENANT = TenantId("bench-tenant")
ROWS_A_SOURCE = 100_000
KNOWN_SHARE = 0.5
"""Of the new source's rows, so many are entities that the tenant has."""
_SYLLABLES = [
    onset + rest
    for onset in ("b", "ch", "d", "f", "k", "m", "ph", "r", "s", "t", "w")
    for rest in ("a", "ai", "in", "ong")
]
_KINDS = ["Hotel", "Resort", "Temple", "Market", "Hall", "Museum", "Clinic", "School", "Cafe", "Park"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=50_000)
    parser.add_argument("--new", type=int, default=1_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linking-") as folder:
        Path(folder).chmod(0o755)
        with open_runtime(Settings(home=Path(folder) / "home")) as runtime:
            print_found(**_measured(runtime, Path(folder), wanted.entities, wanted.new))


def _measured(runtime: Runtime, folder: Path, entities: int, new: int) -> dict[str, object]:
    names = {"th": "ก", "en": "a", "zh": "普"}
    registry.register_tenant(runtime, TENANT, name=names, domain="a.example", tier="pilot", actor="benchmark")
    curve = []
    seconds = 0.0
    for first in range(0, entities, ROWS_A_SOURCE):
        rows = range(first, min(first + ROWS_A_SOURCE, entities))
        took, _ = _link(runtime, folder, f"src-{first:016x}", rows, known=1.0)
        seconds += took
        curve.append({"entities": rows.stop, "rows_per_s": round(len(rows) / took)})
    held = _memory()
    numbers = random.Random(7)
    chosen = sorted(numbers.sample(range(entities), int(new * KNOWN_SHARE)))
    added = [*chosen, *range(entities, entities + new - len(chosen))]
    took, found = _link(runtime, folder, f"src-{entities:016x}f"[:20], added, known=KNOWN_SHARE)
    return {
        "entities": entities,
        "full_seconds": round(seconds, 2),
        "full_rows_per_s": round(entities / seconds),
        "curve": curve,
        "new_rows": len(added),
        "new_seconds": round(took, 3),
        "new_rows_per_s": round(len(added) / took),
        "new_linked_to_known": found,
        "ratio": round(took / seconds, 5),
        "peak_mib": round(_memory()),
        "peak_mib_after_the_build": round(held),
    }


def _link(runtime: Runtime, folder: Path, source: str, numbers: Sequence[int], *, known: float) -> tuple[float, int]:
    """Link the entities of these numbers as a source of their own: the seconds, and how many were known already."""
    store = StageStore(ObjectStore(folder / "objects"), TENANT, b"k" * 32)
    digest = sha256_of_bytes(source.encode())
    with store.write("validate", digest, "1", encrypted=False) as out:
        with out.table("t00001", "statements") as writer:
            for frame in _frames(SourceId(source), numbers):
                writer.write(frame)
        validated = store.read(out.commit(()))
    vocabulary = load_contracts().vocabulary
    started = time.perf_counter()
    with (
        store.write("link", digest, "1", encrypted=False) as links,
        runtime.database.tenant(TENANT) as connection,
        PostgresEntityIndex(connection, TENANT, SourceId(source)) as index,
    ):
        link(validated, links, vocabulary=vocabulary, index=index, tenant=TENANT)
        links.commit(())
    seconds = time.perf_counter() - started
    with runtime.database.tenant(TENANT) as connection:
        row = connection.execute(
            "SELECT count(*) AS found FROM runtime.entity_members"
            " WHERE tenant_id = %s AND source_id = %s AND method <> 'new'",
            (TENANT, source),
        ).fetchone()
    return seconds, int(row["found"]) if row else 0


def _frames(source: SourceId, numbers: Sequence[int]) -> Iterator[pd.DataFrame]:
    rows: list[tuple[str, ...]] = []
    for number in numbers:
        entity = entity_id(TENANT, source, "EventVenue", str(number))
        for property_, value, lang in _said(number):
            rows.append((entity, "EventVenue", property_, value, value, lang, "", "o00001", "m", "", ""))
        if len(rows) > BATCH_ROWS - 10:
            yield _frame(rows)
            rows = []
    if rows:
        yield _frame(rows)


def _said(number: int) -> Iterator[tuple[str, str, str]]:
    """What a source says of the entity of a number: the same whoever asks."""
    chance = random.Random(number)
    word = "".join(chance.choice(_SYLLABLES) for _ in range(3)).capitalize()
    second = "".join(chance.choice(_SYLLABLES) for _ in range(2)).capitalize()
    yield "name", f"{word} {second} {chance.choice(_KINDS)}", "en"
    yield "geo", f"{chance.uniform(6, 20):.6f},{chance.uniform(97.5, 105.5):.6f}", ""
    yield "postalCode", f"{chance.randrange(10, 97)}{chance.randrange(0, 100):02d}0", ""
    yield "telephone", f"+66{chance.randrange(10**8, 10**9)}", ""


def _frame(rows: list[tuple[str, ...]]) -> pd.DataFrame:
    columns = zip(*rows, strict=True)
    arrays = {name: pa.array(column, pa.string()) for name, column in zip(STATEMENT_COLUMNS, columns, strict=True)}
    frame: pd.DataFrame = pa.table(arrays).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _memory() -> float:
    """The most that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
