"""One table screened, against plain Presidio over its cells: `python -m benchmarks.pii_measures TABLE`."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from benchmarks.pii_tables import TABLES, Table
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.tables import BATCH_ROWS, field_column
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.analyzer import PiiAnalyzer, build_analyzer
from tenant_pipeline.pii.column_evidence import column_evidence
from tenant_pipeline.pii.nearby_words import field_words
from tenant_pipeline.pii.screen import screen
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.stage_store import StageStore, StoredStage

SAMPLED_ROWS = 500
"""Rows of which every cell is also put to plain Presidio; its speed per cell is taken from them."""

_NO_DIGEST = Sha256("0" * 64)


def compared(name: str, analyzer: PiiAnalyzer) -> dict[str, Any]:
    """Ours over the whole table, plain Presidio over half the sample before and half after it, in processor time.

    So both meet the machine in the same state. `cells_found_differently` counts the cells of the sample in which
    ours finds anything else than plain Presidio.
    """
    make, rows = TABLES[name]
    table = make(rows)
    first = plain(table, 0, analyzer)
    mine = ours(table, analyzer)
    second = plain(table, 1, analyzer)
    cells, seconds = first["cells"] + second["cells"], first["seconds"] + second["seconds"]
    return {
        "table": name,
        "rows": rows,
        "fields": len(table),
        "plain_presidio": {
            "sampled_cells": cells,
            "seconds": round(seconds, 3),
            "cells_per_s": round(cells / seconds),
            "found": first["found"] + second["found"],
            "note": "speed per cell measured on the sample only",
        },
        "ours_one_process": mine,
        "ratio": round(mine["cells_per_s"] / (cells / seconds), 1),
        "cells_found_differently": first["different"] + second["different"],
    }


def ours(table: Table, analyzer: PiiAnalyzer) -> dict[str, Any]:
    """The whole stage in one process: read from the encrypted store, find, replace, judge, write back."""
    rows = len(next(iter(table.values())))
    with tempfile.TemporaryDirectory(prefix="pii-") as folder:
        store = StageStore(ObjectStore(Path(folder)), TenantId("benchmark"), b"0" * 32)
        extracted = _extracted(store, table)
        before, started = _peak(), time.process_time()
        with store.write("screen", extracted.digest, "benchmark", encrypted=False) as out:
            counts, _ = screen(
                extracted,
                out,
                policy=load_contracts().pii_policy,
                key=DigestKey("k0", b"0" * 32),
                analyzer=analyzer,
                agreement_in_place=True,
            )
            out.commit(counts)
        seconds = time.process_time() - started
    cells = rows * len(table)
    return {"cells": cells, "seconds": round(seconds, 3), "cells_per_s": round(cells / seconds),
            "peak_mib": round(_peak(), 1), "grown_mib": round(_peak() - before, 1)}  # fmt: skip


def plain(table: Table, half: int, analyzer: PiiAnalyzer) -> dict[str, Any]:
    """Presidio's engine with the same recognisers over every cell of half the sample; and where ours differs."""
    cells = different = found = 0
    seconds = 0.0
    for field, values in table.items():
        column = pa.array(values)
        context = (field_words(field), *column_evidence(column.unique()))
        sample = values[:: max(1, len(values) // SAMPLED_ROWS)][half::2]
        started = time.process_time()
        expected = [analyzer.find_by_engine_alone(text, context) for text in sample]
        seconds += time.process_time() - started
        answers = analyzer.find_all(column, context)
        of_text = {text: answers.get(index, ()) for index, text in enumerate(values)}
        different += sum(of_text[text] != each for text, each in zip(sample, expected, strict=True))
        cells += len(sample)
        found += sum(map(len, expected))
    return {"cells": cells, "seconds": seconds, "found": found, "different": different}


def _extracted(store: StageStore, table: Table) -> StoredStage:
    rows = len(next(iter(table.values())))
    whole = pa.table(
        {
            "record": pa.array(range(rows), pa.int64()),
            "locator": pa.array([f"o00001#row={row + 2}" for row in range(rows)]),
            **{field_column(position): pa.array(values) for position, values in enumerate(table.values())},
        }
    )
    about = {"object": "o00001", "path": "venues.csv", "reader": "csv", "name": "venues", "shape": "records"}
    with store.write("extract", _NO_DIGEST, "benchmark", encrypted=True) as out:
        with out.table("t00001", "records", fields=tuple(table), about=about) as writer:
            for start in range(0, rows, BATCH_ROWS):
                writer.write(whole.slice(start, BATCH_ROWS).to_pandas(types_mapper=pd.ArrowDtype))
        digest = out.commit((StageCount("row", rows, rows, 0, 0, rows, "record"),))
    return store.read(digest)


def _peak() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    ready = build_analyzer()
    for text in ("call 0812345678", "กรุณาโทร 0812345678", "请联系13800138000"):
        ready.find_by_engine_alone(text)
    print(json.dumps(compared(sys.argv[1], ready), ensure_ascii=False))
