"""Linking past one machine: the bulk engine's steps on Spark, with Splink's backend for it.

Records are prepared, blocked, compared and clustered on the executors; the driver holds only how rare words are and a
histogram of weights. Splink blocks, scores and finds connected components; levels are told by the model's own
comparisons in Python, and groups are cut by the same rule as on one machine. So both engines give the same clusters.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tenant_pipeline.linking.bulk import KEPT_WEIGHT, MOST_A_BLOCK, ScoredPair, estimated_prior
from tenant_pipeline.linking.bulk_columns import prepared_columns, reweighed_columns
from tenant_pipeline.linking.bulk_records import features_of
from tenant_pipeline.linking.clustering import clusters
from tenant_pipeline.linking.comparators.levels import Comparison
from tenant_pipeline.linking.model import PLACES, Model
from tenant_pipeline.linking.words import FREE, Rarities

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from splink.backends.spark import SparkAPI

_SPARK_TYPES = {
    "VARCHAR[]": "array<string>",
    "BIGINT[]": "array<bigint>",
    "BIGINT[][]": "array<array<bigint>>",
    "STRUCT(latitude DOUBLE, longitude DOUBLE, tolerance DOUBLE)[]": (
        "array<struct<latitude:double,longitude:double,tolerance:double>>"
    ),
}
_EVERY_PAIR = -1_000.0
"""A weight that no pair falls short of: the prior is estimated from all of them."""
_BITS_PLACES = 4
"""A level's bits have so many, as `Level.bits` says."""


def link_on_spark(records: DataFrame, model: Model = PLACES, *, within_sources: bool) -> DataFrame:
    """The records' clusters, (id, cluster), where a cluster is named by its least id; records alone are left out.

    `records` have an `id`, each once, a `source` (both whole numbers), and text columns named by schema.org's
    properties. Records of one source are held against each other only if `within_sources`.
    """
    from pyspark.sql import functions as f
    from splink import Linker
    from splink.backends.spark import SparkAPI

    logging.getLogger("splink").setLevel(logging.ERROR)
    session = records.sparkSession
    backend = SparkAPI(spark_session=session, break_lineage_method="checkpoint", register_udfs_automatically=False)
    session.udf.register("levels_of", _levels_udf(model))
    linker = Linker(
        backend.register(_keyed(_prepared(records, model).persist(), model)),
        _splink_settings(model, within_sources=within_sources),
        log_level=logging.ERROR,
    )
    pairs = linker.inference.predict(threshold_match_weight=_EVERY_PAIR, warning_mode="never").as_spark_dataframe()
    scored = _scored(pairs, model).persist()
    prior = _prior(pairs.count(), scored, model)
    edges = scored.withColumn("bits", f.col("weight") + prior).where(f.col("bits") >= model.grey_bits)
    return _clusters(edges, replace(model, prior_bits=prior), backend)


def _prepared(records: DataFrame, model: Model) -> DataFrame:
    """The records as the model's columns, with the keys that they are looked for under."""
    typed = ", ".join(f"`{name}` {_SPARK_TYPES[kind]}" for name, kind in model.columns.items())

    def prepare(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            features = [features_of(row) for row in batch.to_pylist()]
            columns = {name: batch.column(name).cast(pa.int64()) for name in ("id", "source")}
            keys = pa.array([model.keys(each) for each in features], pa.list_(pa.string()))
            yield pa.RecordBatch.from_pydict({**columns, "every_key": keys, **prepared_columns(features, model)})

    return records.mapInArrow(prepare, f"id bigint, source bigint, every_key array<string>, {typed}")


def _keyed(prepared: DataFrame, model: Model) -> DataFrame:
    """The records with rarities counted among them, and their keys that neither one has alone nor too many share."""
    from pyspark.sql import functions as f

    rarities = prepared.sparkSession.sparkContext.broadcast(_rarities(prepared, model))

    def reweigh(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from reweighed_columns(batch, model, rarities.value).to_batches()

    weighed = prepared.mapInArrow(reweigh, prepared.schema)
    keys = prepared.select("id", f.explode("every_key").alias("key"))
    useful = keys.groupBy("key").count().where(f.col("count").between(2, MOST_A_BLOCK)).select("key")
    kept = keys.join(useful, "key").groupBy("id").agg(f.collect_set("key").alias("keys"))
    record = f.struct(*model.columns).alias("record")
    return weighed.join(kept, "id").select(f.col("id").alias("unique_id"), "source", "keys", record).persist()


def _rarities(prepared: DataFrame, model: Model) -> Rarities:
    from pyspark.sql import functions as f

    words = [f.coalesce(f.col(name), f.array()) for name in model.weighed]
    words += [f.coalesce(f.flatten(name), f.array()) for name in model.weighed_lists]
    every = prepared.select(f.explode(f.array_distinct(f.concat(*words))).alias("word"))
    counted = every.groupBy("word").count().where(f.col("count") > FREE).collect()
    return Rarities({row["word"]: row["count"] for row in counted}, prepared.count())


def _levels_udf(model: Model) -> Any:
    """The level that two records show in each comparison: one call for all of them, and for a batch of pairs."""
    from pyspark.sql.functions import arrow_udf  # type: ignore[attr-defined]  # its stubs lag behind

    def levels_of(left: pa.Array, right: pa.Array) -> pa.Array:
        pairs = zip(_records(left), _records(right), strict=True)
        return pa.array([model.levels_of(one, other) for one, other in pairs], pa.list_(pa.int32()))

    return arrow_udf(levels_of, "array<int>")


def _records(structs: pa.Array) -> Iterator[dict[str, Any]]:
    """The records as the comparisons read them: a column that has no value is not there."""
    for record in structs.to_pylist():
        yield {name: values for name, values in record.items() if values is not None}


def _splink_settings(model: Model, *, within_sources: bool) -> dict[str, Any]:
    apart = "" if within_sources else " AND l.source <> r.source"
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": 0.5,  # no prior: it is estimated from the weights
        "comparisons": [_splink_comparison(place, each) for place, each in enumerate(model.comparisons)],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": f"l.keys = r.keys{apart}", "sql_dialect": "spark", "arrays_to_explode": ["keys"]}
        ],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "additional_columns_to_retain": ["keys"],
    }


def _splink_comparison(place: int, comparison: Comparison) -> dict[str, Any]:
    shown = f"levels_of(record_l, record_r)[{place}]"
    silent = {"sql_condition": f"{shown} IS NULL", "label_for_charts": "silent", "is_null_level": True}
    levels = [
        {
            "sql_condition": f"{shown} = {number}" if number < len(comparison.levels) - 1 else "ELSE",
            "label_for_charts": level.name,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        for number, level in enumerate(comparison.levels)
    ]
    return {"output_column_name": comparison.name, "comparison_levels": [silent, *levels]}


def _scored(pairs: DataFrame, model: Model) -> DataFrame:
    """The pairs that weigh enough, a name among what speaks for them: (left, right, weight in bits without a prior)."""
    from pyspark.sql import functions as f

    def bits(comparison: Comparison) -> Column:
        return f.round(pairs[f"mw_{comparison.name}"], _BITS_PLACES)

    naming = [bits(each) for each in model.naming_comparisons()]
    shared = f.size(f.array_intersect("keys_l", "keys_r"))
    weight = sum((bits(each) for each in model.comparisons), f.lit(0.0))
    together = sum(naming, f.lit(0.0))
    return (
        pairs.where((f.greatest(f.lit(0.0), *naming) > 0) & ((shared > 1) | (together >= model.alone_bits)))
        .select(
            f.least("unique_id_l", "unique_id_r").alias("left"),
            f.greatest("unique_id_l", "unique_id_r").alias("right"),
            weight.alias("weight"),
        )
        .where(f.col("weight") >= KEPT_WEIGHT)
    )


def _prior(pairs: int, scored: DataFrame, model: Model) -> float:
    from pyspark.sql import functions as f

    rows = scored.groupBy((f.round(f.col("weight") * 10) / 10).alias("bits")).count().collect()
    return estimated_prior([(row["bits"], row["count"]) for row in rows], pairs, model.prior_bits)


def _clusters(edges: DataFrame, model: Model, backend: SparkAPI) -> DataFrame:
    """Connected components of sure pairs, each then cut where the rest speaks against it."""
    from pyspark.sql import functions as f
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    sure = edges.where(f.col("bits") >= model.match_bits).select("left", "right").persist()
    nodes = sure.select(f.col("left").alias("id")).union(sure.select("right")).distinct()
    components = cluster_pairwise_predictions_at_threshold(
        nodes,
        sure,
        backend,
        node_id_column_name="id",
        edge_id_column_name_left="left",
        edge_id_column_name_right="right",
    ).as_spark_dataframe()
    left = components.select(f.col("id").alias("left"), f.col("cluster_id").alias("component"))
    right = components.select(f.col("id").alias("right"), f.col("cluster_id").alias("component"))

    def cut(pairs: pa.Table) -> pa.Table:
        surest = pairs.sort_by([("weight", "descending"), ("left", "ascending"), ("right", "ascending")])
        columns = (surest.column(name).to_pylist() for name in ("left", "right", "bits"))
        groups = clusters(map(ScoredPair, *columns), model)
        named = [(id_, group[0]) for group in groups for id_ in group]
        ids, firsts = [id_ for id_, _ in named], [first for _, first in named]
        return pa.table([pa.array(each, pa.int64()) for each in (ids, firsts)], names=["id", "cluster"])

    within = edges.join(left, "left").join(right, ["right", "component"])
    return within.groupBy("component").applyInArrow(cut, "id bigint, cluster bigint")
