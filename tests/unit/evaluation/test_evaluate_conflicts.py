"""What an evaluation of conflicts counts, and how our own disputes and the public ones come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.conflicts import evaluate
from tenant_pipeline.evaluation.conflicts.hospitals import FOLDER as HOSPITALS
from tenant_pipeline.evaluation.conflicts.wiki_edits import FOLDER as WIKI
from tenant_pipeline.evaluation.conflicts.wiki_edits import read_wiki_edits
from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.gold import SHIPPED
from tenant_pipeline.evaluation.report import Measured

SHARED_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
needs_shared_data = pytest.mark.skipif(
    not (SHARED_DATA / WIKI).is_dir() or not (SHARED_DATA / HOSPITALS).is_dir(),
    reason="the shared data is not beside this checkout",
)


def _own(folder: Path, claims: list[dict[str, Any]], truth: list[dict[str, Any]]) -> dict[str, Measured]:
    (folder / "claims.jsonl").write_text("".join(json.dumps(each) + "\n" for each in claims))
    (folder / "truth.jsonl").write_text("".join(json.dumps(each) + "\n" for each in truth))
    return {each.dataset.split(": ")[1]: each for each in evaluate(folder).measured}


def _claim(source: str, value: str, **other: Any) -> dict[str, Any]:
    return {"source": source, "entity": "hall", "property": "capacity", "datatype": "number", "value": value, **other}


TRUTH = {"entity": "hall", "property": "capacity", "values": ["2400"]}


def test_our_own_disputes_are_resolved() -> None:
    resolved, found = evaluate(SHIPPED / "conflicts").measured
    assert resolved.figures["disputes"] == 14
    assert resolved.ours == Counts(14, 0, 0)
    assert found.ours.false_negatives == 0
    assert resolved.peers["majority vote"].true_positives < 14


def test_a_choice_that_is_not_true_is_wrong_and_says_by_which_rule(tmp_path: Path) -> None:
    resolved = _own(tmp_path, [_claim("a", "2500", tier=1), _claim("b", "2400")], [TRUTH])["disputes resolved"]
    assert resolved.ours == Counts(0, 1, 1)
    (error,) = resolved.errors
    assert (error.place, error.expected, error.found) == ("hall, capacity", "2400", "2500")
    assert error.why.startswith("authority_tier:")


def test_a_finer_or_coarser_value_counts_by_the_order_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "order.jsonl").write_text('{"property": "capacity", "levels": [["2000"], ["2400"]]}\n')
    resolved = _own(tmp_path, [_claim("a", "2000", tier=1), _claim("b", "2400")], [TRUTH])["disputes resolved"]
    assert resolved.figures["share resolved, of those with a known truth"] == 1.0
    assert resolved.figures["the same, equal to the letter"] == 0.0


def test_a_question_that_nobody_disputes_is_no_dispute(tmp_path: Path) -> None:
    measured = _own(tmp_path, [_claim("a", "2400"), _claim("b", "2400")], [TRUTH])
    assert measured["disputes resolved"].figures["disputes"] == 0
    assert measured["conflicts found"].ours == Counts()


@pytest.mark.parametrize(
    ("claims", "where"),
    [("{", "claims.jsonl:1"), ('{"source": "a"}', "claims.jsonl:1")],
)
def test_a_line_that_is_no_claim_is_refused_with_its_place(tmp_path: Path, claims: str, where: str) -> None:
    (tmp_path / "claims.jsonl").write_text(claims + "\n")
    (tmp_path / "truth.jsonl").write_text(json.dumps(TRUTH) + "\n")
    with pytest.raises(InputError) as refused:
        evaluate(tmp_path)
    assert refused.value.where == where


def test_an_unknown_datatype_and_a_truth_of_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such datatype"):
        _own(tmp_path, [_claim("a", "1", datatype="colour")], [TRUTH])
    with pytest.raises(InputError, match="Nobody claims"):
        _own(tmp_path, [_claim("a", "1")], [{**TRUTH, "entity": "other hall"}])


@needs_shared_data
def test_public_disputes_are_resolved_far_better_than_by_vote() -> None:
    for path in sorted((SHARED_DATA / WIKI).glob("*.json")):
        assert len(read_wiki_edits(path).disputes) > 150
    measured = {each.dataset: each for each in evaluate(SHARED_DATA).measured}
    wiki = [each for name, each in measured.items() if name.startswith("wiki") and name.endswith("resolved")]
    assert len(wiki) == 2
    for each in wiki:
        assert (each.ours.precision or 0) >= 0.9
        assert (each.peers["majority vote"].precision or 1) < 0.75
    tiers = measured["fusion_hospital, sources by place in the block, with a tiers file: disputes resolved"]
    assert tiers.ours == Counts(8000, 0, 0)
    without = measured["fusion_hospital, sources by place in the block, without tiers: disputes resolved"]
    assert without.ours.true_positives == 0, "three of five agree on what is wrong; nothing tells them from the right"
    gazetteers = measured["thai_gazetteers, sub-districts of all three: conflicts found"]
    assert gazetteers.ours.false_negatives == 0
    assert gazetteers.ours.true_positives == 290
