"""One file of records linked whole: the same clusters on one machine (DuckDB) and past it (Spark)."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.linking.bulk import BulkLinking
from tenant_pipeline.linking.bulk_records import columns_of, features_of, read_records
from tenant_pipeline.linking.clustering import clusters
from tenant_pipeline.linking.model import PLACES, Model

Links = dict[int, int]
"""The cluster of each record that is not alone in it: both by their ids, a cluster by its least."""


def link_on_one_machine(
    path: Path, model: Model = PLACES, *, within_sources: bool, folder: Path | None = None
) -> Links:
    """Link the records of a Parquet file with DuckDB, which works in `folder`.

    Raises InputError for a file that is no table of records.
    """
    columns = columns_of(path)
    with BulkLinking(model, folder=folder) as linking:
        linking.add_mixed((row["source"], features_of(row)) for row in read_records(path, columns))
        linking.find_pairs(within_sources=within_sources)
        settled = replace(model, prior_bits=linking.prior_bits)
        groups = clusters(linking.scored(), settled)
    ids = pq.read_table(path, columns=["id"]).column("id").to_numpy()
    return {int(ids[number]): int(ids[group[0]]) for group in groups for number in group}


def link_past_one_machine(
    path: Path, master: str, model: Model = PLACES, *, within_sources: bool, folder: Path | None = None
) -> Links:
    """Link the records of a Parquet file with Spark at `master`; all executors must reach the file and `folder`.

    Raises InputError for a file that is no table of records, SettingsError where Spark or Java is missing.
    """
    from tenant_pipeline.linking.bulk_spark import link_on_spark
    from tenant_pipeline.linking.spark_session import spark_session

    columns = columns_of(path)
    if folder is not None and not folder.is_dir():
        raise InputError("There is no such folder", where=str(folder), remedy="Make it where all executors reach it.")
    with tempfile.TemporaryDirectory(prefix="linking-", dir=folder) as place:
        kept = Path(place).resolve()
        with spark_session(master, kept) as session:
            records = session.read.parquet(f"file://{path.resolve()}").select(*columns)
            found = link_on_spark(records, model, within_sources=within_sources)
            return {row["id"]: row["cluster"] for row in found.collect()}


def require_target(target: Path) -> None:
    """Raise InputError unless links can be written to `target`: asked before the work, not after it."""
    if target.is_dir() or not os.access(target.resolve().parent, os.W_OK | os.X_OK):
        raise InputError("Links cannot be written there", where=str(target), remedy="Name a file in a folder of yours.")


def write_links(links: Links, target: Path) -> None:
    """Write (id, cluster) as Parquet: whole, or not at all."""
    draft = target.with_name(f".{target.name}.new")
    ordered = sorted(links.items())
    columns = ([id_ for id_, _ in ordered], [cluster for _, cluster in ordered])
    table = pa.table([pa.array(each, pa.int64()) for each in columns], names=["id", "cluster"])
    try:
        pq.write_table(table, draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
