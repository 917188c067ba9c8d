"""What people tied stays tied, what they judged different stays apart, and every id that left can come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.linking.clusters import Tie, partition

FIRST = datetime(2026, 11, 23, tzinfo=UTC)
BORN = {name: FIRST + timedelta(days=number) for number, name in enumerate("cabdef")}
PAIRS = st.sampled_from(list(combinations(sorted(BORN), 2)))
TIES = st.lists(st.builds(lambda pair, bits, judged: Tie(*pair, bits, judged), PAIRS, st.integers(0, 5), st.booleans()))
APART = st.lists(PAIRS)


def test_the_oldest_id_stays_and_the_lesser_of_two_born_together() -> None:
    together = partition(BORN, [Tie("a", "c", 9, False), Tie("a", "b", 9, False)], [])
    assert together.canonical == {"a": "c", "b": "c", "c": "c", "d": "d", "e": "e", "f": "f"}
    twins = partition(dict.fromkeys("xy", FIRST), [Tie("x", "y", 9, False)], [])
    assert twins.canonical == {"x": "x", "y": "x"}


def test_of_two_ties_across_a_different_the_weaker_gives_way() -> None:
    found = partition(BORN, [Tie("a", "b", 5.0, False), Tie("b", "d", 9.0, False)], [("a", "d")])
    assert found.canonical["b"] == found.canonical["d"] == "b"
    assert found.canonical["a"] == "a"
    assert found.broken == ((Tie("a", "b", 5.0, False), ("a", "d")),)


def test_a_persons_tie_holds_before_any_score() -> None:
    found = partition(BORN, [Tie("a", "b", 99.0, False), Tie("b", "d", 0.0, True)], [("a", "d")])
    assert found.canonical["d"] == "b"
    assert found.canonical["a"] == "a"


@given(TIES, APART)
def test_nobody_judged_different_is_ever_in_one_cluster(ties: list[Tie], apart: list[tuple[str, str]]) -> None:
    found = partition(BORN, ties, apart)
    assert all(found.canonical[left] != found.canonical[right] for left, right in apart)


def test_where_people_were_unsure_linking_ties_nothing_and_people_still_may() -> None:
    ties = [Tie("a", "b", 9.0, False), Tie("b", "c", 9.0, False)]
    assert partition(BORN, ties, [], [("a", "c")]).canonical["c"] == "c"
    assert partition(BORN, ties, [], [("a", "c")]).canonical["b"] == "a"
    judged = [Tie(tie.left, tie.right, tie.bits, True) for tie in ties]
    assert {partition(BORN, judged, [], [("a", "c")]).canonical[name] for name in "abc"} == {"c"}


@given(TIES, APART, st.randoms())
def test_the_order_in_which_it_was_said_does_not_matter(
    ties: list[Tie], apart: list[tuple[str, str]], random: Random
) -> None:
    shuffled = random.sample(ties, len(ties))
    assert partition(BORN, shuffled, apart[::-1]).canonical == partition(BORN, ties, apart).canonical


@given(TIES)
def test_without_a_different_clusters_are_what_ties_connect_and_canonical_ids_their_oldest(ties: list[Tie]) -> None:
    found = partition(BORN, ties, [])
    assert found.broken == ()
    assert all(found.canonical[tie.left] == found.canonical[tie.right] for tie in ties)
    for name, canonical in found.canonical.items():
        assert found.canonical[canonical] == canonical
        assert BORN[canonical] <= BORN[name]
