"""A record that belongs to a withheld one is withheld too, in whichever table and batch it stands."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.withheld import WithheldRecords, ancestors
from tests.unit.pii.memory_stage import MemoryStage, pii_policy
from tests.unit.pii.screening import run

ID = "3-1006-00445-63-5"
POLICY = pii_policy(actions={"TH_NATIONAL_ID": "quarantine"}, quarantined_share_fail=1.0)


def stage(tables: dict[str, list[tuple[str, str]]], batch: int = 100, objects: Sequence[str] = ()) -> MemoryStage:
    """Tables of one field, given as locator and value."""
    made = MemoryStage()
    for number, (name, rows) in enumerate(tables.items()):
        about = {"object": objects[number] if objects else "o1", "shape": "records"}
        with made.table(name, "records", fields=("note",), about=about) as writer:
            for start in range(0, len(rows), batch):
                part = rows[start : start + batch]
                table = pa.table(
                    {"record": range(start, start + len(part)), "locator": [locator for locator, _ in part],
                     "f0000": [value for _, value in part]}
                )  # fmt: skip
                writer.write(table.to_pandas(types_mapper=pd.ArrowDtype))
    return made


def kept(out: MemoryStage) -> list[str]:
    return [
        locator for name, table in out.written.items() if name != "findings" for locator in table.whole()["locator"]
    ]


def test_what_lies_under_a_withheld_record_goes_with_it_and_its_siblings_stay(analyzer: PiiAnalyzer) -> None:
    tables = {
        "t00001": [("o1#/3/resources/0", "x"), ("o1#/3/resources/0/files/1", "x"), ("o1#/30/resources/0", "x")],
        "t00002": [("o1#/3", ID), ("o1#/30", "x"), ("o1#/4", "x")],
    }
    out, count, verdict = run(analyzer, stage(tables), POLICY)
    assert kept(out) == ["o1#/30", "o1#/4", "o1#/30/resources/0"]
    assert sorted((each["locator"], each["code"]) for each in out.rejects) == [
        ("o1#/3", "pii-th-national-id"),
        ("o1#/3/resources/0", "pii-parent-withheld"),
        ("o1#/3/resources/0/files/1", "pii-parent-withheld"),
    ]
    assert (count.rows_in, count.quarantined, count.rows_out) == (6, 3, 3)
    assert "3 records are quarantined." in verdict.reasons


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_children_are_withheld_across_batches(analyzer: PiiAnalyzer, batch: int) -> None:
    rows = [("o1#message=7", f"id {ID}"), ("o1#message=70", "x"), ("o1#message=7&table=1&line=2", "x")]
    out, _, _ = run(analyzer, stage({"t00001": rows}, batch), POLICY)
    assert kept(out) == ["o1#message=70"]


def test_a_withheld_record_takes_nothing_of_another_object_with_it(analyzer: PiiAnalyzer) -> None:
    tables = {"t00001": [("o1#/3", ID)], "t00002": [("o2#/3/a/0", "x")]}
    out, _, _ = run(analyzer, stage(tables, objects=["o1", "o2"]), POLICY)
    assert kept(out) == ["o2#/3/a/0"]


def test_a_withheld_document_takes_everything_in_it_with_it(analyzer: PiiAnalyzer) -> None:
    tables = {"t00001": [("o1#/", ID)], "t00002": [("o1#/paths/0", "x")]}
    out, _, _ = run(analyzer, stage(tables), POLICY)
    assert kept(out) == []


def test_the_locators_kept_in_mind_are_written_nowhere(analyzer: PiiAnalyzer) -> None:
    tables = {"t00001": [("o1#/a@b.example", ID), ("o1#/a@b.example/0", "x")]}
    out, _, _ = run(analyzer, stage(tables), POLICY)
    assert kept(out) == []
    assert "a@b.example" not in out.everything()


def test_ancestors_are_every_place_above() -> None:
    assert set(ancestors("o1#/a/0/b/1")) == {"o1#/a/0/b", "o1#/a/0", "o1#/a", "o1#/"}
    assert set(ancestors("o1#page=1&table=2&row=3")) == {"o1#page=1&table=2", "o1#page=1"}
    assert set(ancestors("o1#row=5")) == set(ancestors("o1#/")) == set()


steps = st.lists(st.tuples(st.sampled_from("/&"), st.text("ab1=", min_size=1, max_size=3)), min_size=1, max_size=5)


@given(steps, st.integers(0, 4))
def test_a_record_lies_below_each_of_its_ancestors_and_not_below_itself(
    places: list[tuple[str, str]], cut: int
) -> None:
    locator = "o1#a" + "".join(sign + name for sign, name in places)
    above = "o1#a" + "".join(sign + name for sign, name in places[: min(cut, len(places) - 1)])
    withheld = WithheldRecords()
    withheld.add(pa.array([above]))
    below = withheld.below(pa.array([locator, above, f"{above}x", None]))
    assert below is not None
    assert below.tolist() == [True, False, False, False]
