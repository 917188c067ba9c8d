"""What an evaluation of extraction counts, and that our own gold files come out as they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.extraction import evaluate
from tenant_pipeline.evaluation.extraction.record import Record, field_counts, paired, record_counts
from tenant_pipeline.evaluation.gold import SHIPPED


def test_our_own_gold_files_are_read_to_the_letter() -> None:
    measured = {each.dataset: each for each in evaluate(SHIPPED / "extraction").measured}
    assert measured["extraction, records"].ours == Counts(17, 0, 0)
    assert measured["extraction, fields"].ours == Counts(66, 0, 0)
    assert set(measured["extraction, fields"].groups["by language"]) == {"th", "en", "zh"}
    assert measured["extraction, fields"].peers["pandas"].false_negatives > 0


def test_a_wrong_value_is_made_up_and_missed_and_a_lost_row_is_missed() -> None:
    expected = [Record("1", {"name": "Hall A", "city": "Phuket"}), Record("2", {"name": "Hall B"})]
    found = [Record("row=2", {"name": "Hall A", "city": "Phang Nga"})]
    pairs = paired(expected, found)
    assert record_counts(pairs) == Counts(1, 0, 1)
    assert field_counts(pairs) == Counts(1, 1, 2)


def test_a_row_that_nobody_expects_is_made_up() -> None:
    pairs = paired([], [Record("row=9", {"name": "Total"})])
    assert record_counts(pairs) == Counts(0, 1, 0)


def test_two_equal_rows_are_two_records() -> None:
    twice = [Record("1", {"name": "Hall"}), Record("2", {"name": "Hall"})]
    assert record_counts(paired(twice, twice[:1])) == Counts(1, 0, 1)


def test_every_error_names_its_file_and_place(tmp_path: Path) -> None:
    (tmp_path / "halls.csv").write_text("name,city\nHall A,Phuket\nHall B,Krabi\n")
    (tmp_path / "halls.csv.expected.jsonl").write_text('{"name": "Hall A", "city": "Phang Nga"}\n')
    fields = evaluate(tmp_path).measured[-1]
    assert sorted((error.place, error.expected, error.found, error.why) for error in fields.errors) == [
        ("halls.csv row=2, city", "Phang Nga", "Phuket", "other value"),
        ("halls.csv row=3", "", "name=Hall B; city=Krabi", "no such record"),
    ]


def test_a_file_that_is_refused_counts_as_missed_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "empty.csv.expected.jsonl").write_text('{"name": "Hall A"}\n')
    fields = evaluate(tmp_path).measured[-1]
    assert fields.ours == Counts(0, 0, 1)
    assert "empty-file" in {error.found for error in fields.errors}


@pytest.mark.parametrize("line", ["{", '["name"]', '{"capacity": 3}'])
def test_an_expectation_that_is_none_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "halls.csv").write_text("name\nHall A\n")
    (tmp_path / "halls.csv.expected.jsonl").write_text(line + "\n")
    with pytest.raises(InputError) as refused:
        evaluate(tmp_path)
    assert refused.value.where == "halls.csv.expected.jsonl:1"


def test_an_expectation_without_its_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "halls.csv.expected.jsonl").write_text('{"name": "Hall A"}\n')
    with pytest.raises(InputError, match="no file beside it"):
        evaluate(tmp_path)


def test_a_data_set_that_is_not_there_is_named_and_not_counted(tmp_path: Path) -> None:
    evaluation = evaluate(tmp_path)
    assert evaluation.measured == ()
    assert len(evaluation.skipped) == 2
