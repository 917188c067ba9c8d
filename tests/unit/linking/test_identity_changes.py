"""The log of merges and splits says who moved where, and nothing of who stayed."""

from __future__ import annotations

from tenant_pipeline.linking.identity import Change, changes


def test_an_id_that_becomes_an_alias_is_merged_with_all_its_homes() -> None:
    before = {"a": "a", "b": "b", "c": "b", "d": "d"}
    assert changes(before, {**before, "b": "a", "c": "a"}) == [Change("merge", "b", "a", ("b", "c"))]


def test_what_leaves_an_id_that_stays_is_split_off_into_the_id_that_it_had() -> None:
    before = {"a": "a", "b": "a", "c": "a"}
    assert changes(before, {**before, "b": "b"}) == [Change("split", "a", "b", ("b",))]
    assert changes(before, {**before, "b": "b", "c": "b"}) == [Change("split", "a", "b", ("b", "c"))]


def test_where_nobody_moves_nothing_is_logged() -> None:
    assert changes({"a": "a", "b": "a"}, {"a": "a", "b": "a"}) == []
