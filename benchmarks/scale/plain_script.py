"""What one would write instead in an afternoon: `python -m benchmarks.scale.plain_script FILE ROWS`, as JSON.

pandas reads the file, Presidio looks at every cell and what it finds is replaced by its SHA-256, Splink finds
duplicates, `to_sql` writes the rows. The recognisers and tokenisers are ours, because Presidio has none for Thai; the
engine is Presidio's own. The database is the one of DATABASE_URL.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import resource
import sys
import time

import duckdb
import pandas as pd
from presidio_analyzer import AnalyzerEngine
from sqlalchemy import create_engine, text

from tenant_pipeline.pii.analyzer import language_of
from tenant_pipeline.pii.nlp_engine import BLANK_CONFIGURATION, LANGUAGES, build_nlp_engine
from tenant_pipeline.pii.recognisers.folded import THRESHOLD
from tenant_pipeline.pii.recognisers.registry import build_registry


def main() -> None:
    """Do it, and print the seconds of each step."""
    path, rows = sys.argv[1], int(sys.argv[2])
    took = {}
    started = time.perf_counter()
    frame = read(path, rows)
    took["read"] = round(time.perf_counter() - started, 3)
    for name, step in (("screen", screen), ("link", link), ("write", write)):
        started = time.perf_counter()
        frame = step(frame)
        took[name] = round(time.perf_counter() - started, 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": round(sum(took.values()), 3), "steps": took, "peak_mib": round(peak)}))


def read(path: str, rows: int) -> pd.DataFrame:
    """The first rows of the file, as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, nrows=rows)


def screen(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell through Presidio; what it finds becomes its SHA-256."""
    engine = AnalyzerEngine(
        registry=build_registry(),
        nlp_engine=build_nlp_engine(BLANK_CONFIGURATION),
        supported_languages=list(LANGUAGES),
        default_score_threshold=THRESHOLD,
    )

    def clean(cell: str) -> str:
        for found in sorted(engine.analyze(cell, language_of(cell)), key=lambda each: each.start, reverse=True):
            digest = hashlib.sha256(cell[found.start : found.end].encode()).hexdigest()
            cell = cell[: found.start] + digest + cell[found.end :]
        return cell

    return frame.map(clean)


def link(frame: pd.DataFrame) -> pd.DataFrame:
    """Each row with the cluster that Splink puts it in, by the comparisons its documentation names."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as library

    logging.getLogger("splink").setLevel(logging.ERROR)
    frame = frame.assign(unique_id=range(len(frame)), start=frame["title_en"].str[:6])
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            library.NameComparison("title_en"),
            library.JaroWinklerAtThresholds("street"),
            library.ExactMatch("town").configure(term_frequency_adjustments=True),
            library.ExactMatch("postcode").configure(term_frequency_adjustments=True),
            library.LevenshteinAtThresholds("tel"),
            library.ExactMatch("web"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("title_th"), block_on("title_en"), block_on("street"), block_on("tel"), block_on("start", "town"),
        ],
        retain_matching_columns=False,
    )  # fmt: skip
    connection = duckdb.connect()
    connection.register("frame", frame)
    connection.execute("CREATE TABLE rows AS SELECT * FROM frame")
    backend = DuckDBAPI(connection)
    linker = Linker(backend.register("rows"), settings, log_level=logging.ERROR)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for column in ("start", "seats"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(column), record_sample_proportion=1)
    predicted = linker.inference.predict(threshold_match_probability=0.5, warning_mode="never")
    grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.95)
    clusters = connection.execute(f"SELECT unique_id, cluster_id FROM {grouped.physical_name}").df()
    return frame.drop(columns="start").merge(clusters, on="unique_id", how="left")


def write(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows into a table with an index on their id, as pandas writes them."""
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.begin() as connection:
        frame.to_sql("plain_script", connection, if_exists="replace", index=False, chunksize=10_000)
        connection.execute(text("CREATE UNIQUE INDEX ON plain_script (venue_ref)"))
    engine.dispose()
    return frame


if __name__ == "__main__":
    main()
