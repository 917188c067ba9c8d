"""Rarity is counted, weights are learnt, and groups hold together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.linking.bulk import BulkLinking, ScoredPair, estimated_prior
from tenant_pipeline.linking.clustering import clusters, one_to_one
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import PLACES
from tenant_pipeline.linking.score import Match, score_pairs
from tenant_pipeline.linking.training import by_expectation_maximisation, from_judgements
from tenant_pipeline.linking.words import Rarities, packed, rarity_of


def _place(name: str, **values: str) -> Features:
    features = Features(name, "Place")
    for property_, value in {"name": name, **values}.items():
        features.add(property_, value, "en", identifying=False)
    return features


def test_what_many_records_have_is_less_rare_than_its_letters_say() -> None:
    common, rare = packed("market", 12.0), packed("tamarind", 12.0)
    rarities = Rarities({common: 502, rare: 2}, 1_000)
    assert rarity_of(rarities.reweighed(common)) == pytest.approx(1.58, abs=0.04)
    assert rarity_of(rarities.reweighed(rare)) == pytest.approx(13.58, abs=0.04)


@given(st.dictionaries(st.integers(0, 2**40), st.integers(1, 900), max_size=20), st.integers(900, 10**6))
def test_one_word_and_many_are_reweighed_alike(counts: dict[int, int], records: int) -> None:
    rarities = Rarities(counts, records)
    words = [*counts, 7]
    assert rarities.all_reweighed(np.array(words, dtype=np.int64)).tolist() == [
        rarities.reweighed(word) for word in words
    ]


def test_a_name_that_many_of_the_source_bear_is_not_enough_with_a_town() -> None:
    town = {"addressLocality": "Rawai"}
    rare = [_place("Tamarind Harbour", **town, telephone="076555101")]
    many = [_place("Tamarind Harbour", **town, telephone=f"0765552{number:02}") for number in range(60)]
    known = {"k": _place("Tamarind Harbour", **town, postalCode="83130")}
    (alone,) = score_pairs(rare, known, [(0, "k")])
    (among,) = score_pairs(many, known, [(0, "k")])
    assert among.bits < alone.bits
    assert (alone.match, among.match) == (Match.SAME, Match.UNSURE)


def test_the_prior_follows_from_how_much_the_pairs_weigh() -> None:
    assert estimated_prior([(30.0, 1_000)], 100_000, -7.0) == pytest.approx(-6.63, abs=0.01)
    assert estimated_prior([(30.0, 90_000)], 100_000, -7.0) == -3.0
    assert estimated_prior([], 100_000, -7.0) == -11.0


def test_judgements_move_the_weights_and_a_handful_moves_them_little() -> None:
    same_town = (_place("Coral Hall", addressLocality="Rawai"), _place("Coral Hall", addressLocality="Rawai"), True)
    other_town = (_place("Coral Hall", addressLocality="Rawai"), _place("Coral Hall", addressLocality="Kathu"), False)

    def bits(judged: int) -> float:
        model = from_judgements(PLACES, [same_town, other_town] * judged)
        (comparison,) = (each for each in model.comparisons if each.name == "locality")
        return next(each.bits for each in comparison.levels if each.name == "different")

    shipped, few, many = bits(0), bits(5), bits(2_000)
    assert shipped == pytest.approx(-2.04, abs=0.01)
    assert few == pytest.approx(shipped, abs=0.2)
    assert many < -5.0


def test_expectation_maximisation_learns_without_labels_how_often_one_thing_differs() -> None:
    names = [each.name for each in PLACES.comparisons]

    def pattern(name_level: int, phone_level: int) -> tuple[int | None, ...]:
        return tuple({"names": name_level, "telephone": phone_level}.get(each) for each in names)

    different = len(PLACES.comparisons[0].levels) - 1
    patterns = [(pattern(0, 0), 5_000), (pattern(0, 3), 5_000), (pattern(different, 3), 400_000)]
    learnt = by_expectation_maximisation(PLACES, patterns)
    telephone = learnt.comparisons[names.index("telephone")]
    assert telephone.levels[0].u == 0.004
    assert telephone.levels[3].m > 0.27, "half of what has the same name has another number"


def test_a_record_with_two_candidates_as_good_is_linked_to_neither() -> None:
    pairs = [ScoredPair(1, 11, 20.0), ScoredPair(2, 12, 15.0), ScoredPair(2, 13, 14.5), ScoredPair(3, 13, 9.0)]
    assert one_to_one(pairs, PLACES) == [ScoredPair(1, 11, 20.0)]


def test_a_chain_is_cut_where_the_rest_speaks_against_it() -> None:
    chain = [ScoredPair(0, 1, 12.0), ScoredPair(2, 3, 11.0), ScoredPair(1, 2, 5.0)]
    assert clusters(chain, PLACES) == [[0, 1], [2, 3]]
    whole = [*chain, ScoredPair(0, 2, 4.0), ScoredPair(0, 3, 4.0), ScoredPair(1, 3, 4.0)]
    assert clusters(sorted(whole, key=lambda each: -each.bits), PLACES) == [[0, 1, 2, 3]]


def test_records_that_contradict_each_other_are_never_in_one_group() -> None:
    pairs = [ScoredPair(0, 1, 12.0), ScoredPair(1, 2, 11.0), ScoredPair(0, 2, 10.0)]
    assert clusters(pairs, PLACES, contradict=lambda one, other: {one, other} == {0, 2}) == [[0, 1]]


def test_bulk_linking_finds_the_pairs_between_sources_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ours = [_place("Tamarind Harbour", telephone="+6676555101"), _place("Blue Lantern", telephone="+6676555102")]
    theirs = [_place("Harbour Tamarind", telephone="076555101"), _place("Coral Hall", telephone="076555103")]
    with BulkLinking(PLACES, folder=tmp_path) as linking:
        assert (linking.add(ours, 0), linking.add(theirs, 1)) == (range(0, 2), range(2, 4))
        assert linking.find_pairs(within_sources=False) == 1
        (pair,) = one_to_one(linking.scored(), PLACES)
    assert (pair.left, pair.right) == (0, 2)
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_is_too_full_makes_no_pairs() -> None:
    many = [_place("Coral Hall", telephone=f"+667655{number:04}") for number in range(30)]
    with BulkLinking(PLACES) as linking:
        linking.add(many)
        assert linking.find_pairs(within_sources=True, most_a_block=10) == 0
