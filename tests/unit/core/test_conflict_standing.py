"""How often sources are right and whom they repeat, estimated from one another."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.conflict.find import find_conflicts
from tenant_pipeline.core.conflict.standing import SourceStanding, source_standings
from tenant_pipeline.core.conflict.truth_discovery import estimate
from tests.unit.core.conflict_candidates import VOCABULARY, candidate, frame


def _claims(rows: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item", "source_id", "value"])


def _world(sources: dict[str, float], items: int = 200, seed: int = 1) -> list[tuple[str, str, str]]:
    """Claims of independent sources of these accuracies: a wrong one says any of twenty wrong values."""
    chance = random.Random(seed)
    return [
        (f"i{item}", source, "right" if chance.random() < accuracy else f"wrong {chance.randrange(20)}")
        for item in range(items)
        for source, accuracy in sources.items()
    ]


def test_accuracies_are_estimated_without_being_told() -> None:
    accuracy = estimate(_claims(_world({"a": 0.95, "b": 0.8, "c": 0.5, "d": 0.3}))).accuracy
    for source, true in {"a": 0.95, "b": 0.8, "c": 0.5, "d": 0.3}.items():
        assert accuracy[source] == pytest.approx(true, abs=0.1)


def test_sources_that_agree_by_being_right_are_not_taken_for_copies() -> None:
    standings = source_standings(_claims(_world({"a": 0.95, "b": 0.95, "c": 0.9, "d": 0.9})))
    assert all(standing.copies_of == () for standing in standings.values())


def _with_copies(copiers: int) -> list[tuple[str, str, str]]:
    """Five sources that looked for themselves, a bad one, and copies of the bad one."""
    rows = _world({"a": 0.9, "b": 0.9, "c": 0.85, "d": 0.8, "e": 0.8, "bad": 0.5})
    copied = [(item, f"copy {n}", value) for item, source, value in rows if source == "bad" for n in range(copiers)]
    return rows + copied


def test_copies_of_a_bad_source_are_found_by_the_mistakes_they_share() -> None:
    standings = source_standings(_claims(_with_copies(2)))
    assert standings["bad"].copies_of == ("copy 0", "copy 1")
    assert standings["copy 1"].group == ("bad", "copy 0", "copy 1")
    assert standings["a"].copies_of == ()


def test_copies_do_not_outvote_those_who_looked_for_themselves() -> None:
    standings = source_standings(_claims(_with_copies(2)))
    said = [("Patong", "a"), ("Patong", "b"), ("Kathu", "bad"), ("Kathu", "copy 0"), ("Kathu", "copy 1")]
    rows = frame(*(candidate(value, source) for value, source in said))
    (alone,) = find_conflicts(rows, VOCABULARY)
    (known,) = find_conflicts(rows, VOCABULARY, standings)
    assert (alone.proposed_value, known.proposed_value) == ("Kathu", "Patong")
    assert known.proposed_rule == "trust_decayed_by_age"
    assert "3 sources repeat one another and count as one witness." in known.explanation
    assert known.advice["Patong"] > 0.9 > known.advice["Kathu"]


def test_a_source_asked_long_ago_weighs_less_than_one_as_good_asked_today() -> None:
    standings = {source: SourceStanding(source, 0.8) for source in "ab"}
    (item,) = find_conflicts(
        frame(candidate("Patong", "a", observed_at="2020-01-01"), candidate("Kathu", "b", observed_at="2026-01-01")),
        VOCABULARY,
        standings,
    )
    assert (item.proposed_value, item.proposed_rule) == ("Kathu", "trust_decayed_by_age")


def test_authority_comes_before_any_record() -> None:
    standings = {"a": SourceStanding("a", 0.1), "b": SourceStanding("b", 0.98)}
    (item,) = find_conflicts(
        frame(candidate("Patong", "a", authority_tier=1), candidate("Kathu", "b")), VOCABULARY, standings
    )
    assert (item.proposed_value, item.proposed_rule) == ("Patong", "authority_tier")
    assert item.advice["Kathu"] > item.advice["Patong"]


def test_an_ai_that_repeats_a_value_adds_nothing_to_its_record() -> None:
    standings = {source: SourceStanding(source, 0.8) for source in ("a", "b", "chat")}
    said = [candidate("Patong", "a"), candidate("Kathu", "b")]
    (without,) = find_conflicts(frame(*said), VOCABULARY, standings)
    (beside,) = find_conflicts(
        frame(*said, candidate("Kathu", "chat", origin="chatgpt", authority_tier=5)), VOCABULARY, standings
    )
    assert without.advice == beside.advice


def test_too_short_a_record_advises_nobody() -> None:
    assert source_standings(_claims(_world({"a": 0.9, "b": 0.9}, items=5))) == {}
    assert source_standings(_claims([])) == {}
    assert source_standings(_claims((f"i{n}", "only", "x") for n in range(100))) == {}


def test_a_signature_does_not_reopen_when_only_the_record_of_its_sources_changes() -> None:
    rows = frame(candidate("Patong", "a"), candidate("Kathu", "b"))
    (before,) = find_conflicts(rows, VOCABULARY, {"a": SourceStanding("a", 0.9)})
    (after,) = find_conflicts(rows, VOCABULARY, {"a": SourceStanding("a", 0.3), "b": SourceStanding("b", 0.9)})
    assert before.proposed_value != after.proposed_value
    assert before.candidates_digest == after.candidates_digest
    assert before.verdict is after.verdict is Verdict.DIFFERS


claims = st.lists(
    st.tuples(st.sampled_from([f"i{n}" for n in range(30)]), st.sampled_from("abcd"), st.sampled_from("xyz")),
    unique_by=lambda claim: claim[:2],
    max_size=90,
)


@settings(deadline=None, max_examples=60)
@given(claims, st.randoms(use_true_random=False))
def test_standings_are_shares_and_do_not_depend_on_the_order_of_claims(
    rows: list[tuple[str, str, str]], chance: random.Random
) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    first, second = source_standings(_claims(rows)), source_standings(_claims(shuffled))
    assert first.keys() == second.keys()
    for source, standing in first.items():
        assert 0 < standing.trust < 1
        assert second[source].trust == pytest.approx(standing.trust, abs=1e-6)
        assert second[source].copies_of == standing.copies_of


@given(claims)
def test_likelihoods_of_an_items_values_are_shares_of_one(rows: list[tuple[str, str, str]]) -> None:
    known = _claims(rows)
    if known.empty:
        return
    likelihood = known.assign(likelihood=estimate(known).likelihood).drop_duplicates(["item", "value"])
    assert (likelihood.groupby("item")["likelihood"].sum() <= 1 + 1e-9).all()
