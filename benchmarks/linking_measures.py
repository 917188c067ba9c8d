"""One full linking of generated records, in a process of its own: `python -m benchmarks.linking_measures WHAT FOLDER`.

Prints JSON: rows, seconds, growth of memory. The links go to `FOLDER/WHAT.parquet` as (id, cluster).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.linking_records import FIELDS
from benchmarks.measured import print_measure
from tenant_pipeline.linking.bulk import MEMORY_LIMIT, BulkLinking
from tenant_pipeline.linking.clustering import clusters
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import PLACES

RECORDS_A_BATCH = 10_000


def ours(path: Path) -> int:
    """Our bulk engine over the records: columns, blocks, scores, clusters."""
    with BulkLinking(PLACES, folder=path) as linking:
        linking.add(_features(path / "records.parquet"))
        linking.find_pairs(within_sources=True)
        number = linking.number
        groups = clusters(linking.scored(), PLACES)
    _write(path / "ours.parquet", {id_: group[0] for group in groups for id_ in group}, number)
    return number


def candidates(path: Path) -> int:
    """Our blocking alone, for the peer to have the same: the keys that are not too full, by record."""
    with BulkLinking(PLACES, folder=path) as linking:
        linking.add(_features(path / "records.parquet"))
        linking.keep_useful_keys()
        linking.database.execute(
            f"COPY (SELECT id, list(key) AS keys FROM keys GROUP BY id) TO '{path / 'keys.parquet'}' (FORMAT parquet)"
        )
        return linking.number


def splink(path: Path) -> int:
    """Splink with the comparisons its documentation names for such columns, on the same candidate pairs."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as library

    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect(str(path / "splink.duckdb"))
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"SET temp_directory = '{path / 'spill'}'")
    connection.execute(
        f"CREATE TABLE input AS SELECT id AS unique_id, lower(name) AS name, lower(address) AS address, "
        f"addressLocality, postalCode, telephone, url, split_part(geo, ',', 1)::DOUBLE AS latitude, "
        f"split_part(geo, ',', 2)::DOUBLE AS longitude, keys FROM '{path / 'records.parquet'}' "
        f"LEFT JOIN '{path / 'keys.parquet'}' USING (id)"
    )
    backend = DuckDBAPI(connection)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            library.NameComparison("name"),
            library.JaroWinklerAtThresholds("address"),
            library.ExactMatch("addressLocality").configure(term_frequency_adjustments=True),
            library.ExactMatch("postalCode").configure(term_frequency_adjustments=True),
            library.LevenshteinAtThresholds("telephone"),
            library.ExactMatch("url"),
            library.DistanceInKMAtThresholds("latitude", "longitude", [0.1, 1, 10]),
        ],
        blocking_rules_to_generate_predictions=[block_on("keys", arrays_to_explode=["keys"])],
        retain_matching_columns=False,
    )
    linker = Linker(backend.register("input"), settings, log_level=logging.ERROR)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for columns in (("name",), ("address", "addressLocality")):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*columns), record_sample_proportion=1
        )
    predicted = linker.inference.predict(threshold_match_probability=0.5, warning_mode="never")
    grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.95)
    rows = connection.execute(f"SELECT unique_id, cluster_id FROM {grouped.physical_name}").fetchall()
    _write(path / "splink.parquet", dict(rows), len(rows))
    return len(rows)


def _features(path: Path) -> Iterator[Features]:
    for batch in pq.ParquetFile(path).iter_batches(RECORDS_A_BATCH, columns=["id", *FIELDS]):
        for row in batch.to_pylist():
            features = Features(str(row["id"]), "Place")
            for field in FIELDS:
                if row[field]:
                    features.add(field, row[field], "en", identifying=False)
            yield features


def _write(path: Path, cluster_of: dict[int, int], number: int) -> None:
    ids = range(number)
    pq.write_table(pa.table({"id": list(ids), "cluster": [cluster_of.get(id_, id_) for id_ in ids]}), path)


MEASURES = {"ours": ours, "candidates": candidates, "splink": splink}

if __name__ == "__main__":
    print_measure(MEASURES, sys.argv[1], Path(sys.argv[2]))
