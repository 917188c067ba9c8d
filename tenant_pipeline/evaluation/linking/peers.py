"""What a user would otherwise pick: Splink set up as in its tutorial, and rapidfuzz over whole records.

Neither has a threshold of its own that fits, so each gets the one that serves it best on the very gold pairs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process, utils
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_library as library

from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.linking.tables import GoldTables, Pair

MOST_CELLS = 30_000_000
"""Of a full comparison of two tables by rapidfuzz: more would take minutes."""
LEAST_SIMILARITY = 55.0

Scored = list[tuple[float, Pair]]


def rapidfuzz_token_sort(tables: GoldTables) -> Counts | None:
    """Every record against every other by its sorted words; the best first, each once where neither side has twins.

    None where the tables are too large for it.
    """
    if len(tables.left) * (len(tables.right) or len(tables.left)) > MOST_CELLS:
        return None
    left, right = list(tables.left), list(tables.right or tables.left)
    texts, others = ([_sorted_words(tables.rows[id_].values()) for id_ in side] for side in (left, right))
    found: Scored = []
    for first in range(0, len(left), 500):
        scores = process.cdist(texts[first : first + 500], others, scorer=fuzz.ratio, score_cutoff=LEAST_SIMILARITY)
        for row, column in zip(*np.nonzero(scores), strict=True):
            one, other = left[first + int(row)], right[int(column)]
            if tables.right or one < other:
                found.append((float(scores[row, column]), (one, other)))
    return _best_threshold(found, tables)


def _sorted_words(values: Iterable[str]) -> str:
    return " ".join(sorted(utils.default_process(" ".join(values)).split()))


def splink_defaults(tables: GoldTables) -> Counts:
    """Splink with the comparisons that its documentation names for such columns, blocked on each column, trained by
    random sampling and expectation maximisation."""
    columns = _columns(tables)
    return _best_threshold(_splink_scores(tables, columns), tables)


def _splink_scores(tables: GoldTables, columns: list[str]) -> Scored:
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    backend = DuckDBAPI(connection)
    sides = [backend.register(_frame(side, tables, columns)) for side in (tables.left, tables.right) if side]
    settings = SettingsCreator(
        link_type="link_only" if tables.right else "dedupe_only",
        comparisons=[_comparison(column) for column in columns],
        blocking_rules_to_generate_predictions=[block_on(column) for column in columns if column not in _COARSE],
        retain_matching_columns=False,
    )
    linker = Linker(sides if len(sides) > 1 else sides[0], settings, log_level=logging.ERROR)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for column in [each for each in columns if each not in _COARSE][:2]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(column), record_sample_proportion=1)
    predicted = linker.inference.predict(threshold_match_weight=-20, warning_mode="never")
    rows = connection.execute(
        f"SELECT match_weight, unique_id_l, unique_id_r FROM {predicted.physical_name}"
    ).fetchall()
    connection.close()
    if not tables.right:
        return [(weight, (min(one, other), max(one, other))) for weight, one, other in rows]
    return [(weight, (one, other) if one in tables.left else (other, one)) for weight, one, other in rows]


_COARSE = frozenset({"addressCountry", "addressRegion", "state", "type", "region"})
_NAMES = ("first_name", "surname", "given_name", "name")


def _comparison(column: str) -> Any:
    if column.startswith(_NAMES):
        return library.NameComparison(column)
    if column in ("date_of_birth", "dob", "postalCode", "postcode", *_COARSE):
        return library.ExactMatch(column).configure(term_frequency_adjustments=True)
    if column == "email":
        return library.EmailComparison(column)
    return library.JaroWinklerAtThresholds(column)


def _columns(tables: GoldTables) -> list[str]:
    names = dict.fromkeys(name for row in tables.rows.values() for name in row)
    filled = {name: sum(bool(row.get(name)) for row in tables.rows.values()) for name in names}
    return [name for name in names if filled[name] > len(tables.rows) * 0.05]


def _frame(side: Mapping[str, object], tables: GoldTables, columns: list[str]) -> pa.Table:
    ids = list(side)
    values = {column: [(tables.rows[id_].get(column) or "").casefold() or None for id_ in ids] for column in columns}
    return pa.table({"unique_id": ids, **{name: pa.array(each, pa.string()) for name, each in values.items()}})


def _best_threshold(found: Scored, tables: GoldTables) -> Counts:
    """The counts at the threshold with the best F1 among the pairs, taken one to one where the tables allow it."""
    best, right, taken = Counts(0, 0, len(tables.matches)), 0, 0
    used: set[str] = set()
    ranked = sorted(found, reverse=True)
    for number, (score, pair) in enumerate(ranked):
        if not (tables.right and tables.unique and (pair[0] in used or pair[1] in used)):
            used.update(pair)
            taken += 1
            right += pair in tables.matches
        if number + 1 == len(ranked) or ranked[number + 1][0] != score:
            counts = Counts(right, taken - right, len(tables.matches) - right)
            if (counts.f() or 0.0) > (best.f() or 0.0):
                best = counts
    return best
