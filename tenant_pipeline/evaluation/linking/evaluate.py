"""The evaluation of linking: precision, recall and F for each data set, each peer, and the worst errors explained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.linking.gazetteers import gazetteers
from tenant_pipeline.evaluation.linking.measuring import counted, linked, sure_by_fixed_prior, worst_errors
from tenant_pipeline.evaluation.linking.overture import overture_pairs
from tenant_pipeline.evaluation.linking.own_format import is_own, own_tables
from tenant_pipeline.evaluation.linking.peers import rapidfuzz_token_sort, splink_defaults
from tenant_pipeline.evaluation.linking.people import people
from tenant_pipeline.evaluation.linking.restaurants import ditto_pairs, pyjedai_tables
from tenant_pipeline.evaluation.linking.tables import GoldTables
from tenant_pipeline.evaluation.report import Evaluation, Measured
from tenant_pipeline.linking.model import PEOPLE, PLACES

_BEST_THRESHOLD = "The peers' thresholds are those with the best F1 on this very gold data; ours is the shipped one."


def evaluate(data: Path, *, peers: bool = True) -> Evaluation:
    """Measure linking on every data set below `data`: those of `_READERS` by their folders' names, and every folder in
    our own format. Absent ones are named in `skipped`. Takes some minutes with peers."""
    measured: list[Measured] = []
    skipped: list[str] = []
    for name, read in _READERS.items():
        if (data / name).is_dir():
            measured += _measure_all(name, read(data / name), peers)
        else:
            skipped.append(f"{name}: not in the folder")
    folders = (data, *sorted(each for each in data.iterdir() if each.is_dir() and each.name not in _READERS))
    for folder in folders:
        if is_own(folder):
            measured.append(_measure(folder.name, own_tables(folder), peers))
    return Evaluation("linking", tuple(measured), tuple(skipped))


def _restaurants(folder: Path) -> Iterator[GoldTables]:
    yield ditto_pairs(folder, "all tables")


def _oaei(folder: Path) -> Iterator[GoldTables]:
    for path in sorted(folder.rglob("gtclean.csv")):
        yield pyjedai_tables(path.parent, path.parent.name)


def _overture(folder: Path) -> Iterator[GoldTables]:
    for path in sorted(folder.glob("*.jsonl")):
        yield overture_pairs(path, path.stem)


_READERS: dict[str, Callable[[Path], Iterable[GoldTables]]] = {
    "er_restaurants_fodors_zagat": _restaurants,
    "er_restaurants_oaei": _oaei,
    "er_people": people,
    "thai_gazetteers": gazetteers,
    "overture_place_pairs": _overture,
}


def _measure_all(name: str, sets: Iterable[GoldTables], peers: bool) -> list[Measured]:
    if name != "thai_gazetteers":
        return [_measure(f"{name}: {tables.name}", tables, peers) for tables in sets]
    parts = [(tables.name, _measure(tables.name, tables, peers)) for tables in sets]
    by_pair: dict[str, Counts] = {}
    by_level: dict[str, Counts] = {}
    by_peer: dict[str, Counts] = {}
    for part, found in parts:
        pair, level = part.split(" ")
        by_pair[pair] = by_pair.get(pair, Counts()) + found.ours
        by_level[level] = by_level.get(level, Counts()) + found.ours
        for peer, counts in found.peers.items():
            by_peer[peer] = by_peer.get(peer, Counts()) + counts
    complete = {peer: counts for peer, counts in by_peer.items() if all(peer in found.peers for _, found in parts)}
    return [
        Measured(
            name,
            sum(by_pair.values(), Counts()),
            complete,
            {"by source": by_pair, "by level": by_level},
            errors=tuple(error for _, found in parts for error in found.errors),
            notes=("By names and parents' names; the official codes are gold and hidden.", _BEST_THRESHOLD),
        )
    ]


def _measure(name: str, tables: GoldTables, peers: bool) -> Measured:
    model = PEOPLE if tables.people else PLACES
    found, settled = linked(tables, model)
    ours = counted(tables, found)
    others: dict[str, Counts] = {}
    if peers and tables.size > LEAST_FOR_PEERS:
        others["Splink, defaults"] = splink_defaults(tables)
        if (compared := rapidfuzz_token_sort(tables)) is not None:
            others["rapidfuzz, token sort"] = compared
    figures: dict[str, float | int | str | None] = {
        "records": tables.size,
        "false links of links": round(ours.false_positives / max(1, ours.found), 5),
        "false links of left records": round(ours.false_positives / max(1, len(tables.left)), 5),
        "gold pairs that are sure by the stage's fixed prior": round(sure_by_fixed_prior(tables, model), 4),
    }
    groups = {}
    if tables.judged is not None:
        groups["by pairs"] = {"labelled pairs only": counted(tables, found, tables.judged)}
    notes = (_BEST_THRESHOLD,) if others else ()
    return Measured(name, ours, others, groups, figures, worst_errors(tables, found, settled), notes)


LEAST_FOR_PEERS = 100
"""Records: below, expectation maximisation has nothing to learn from."""
