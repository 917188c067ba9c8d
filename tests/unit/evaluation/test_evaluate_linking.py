"""The evaluation reads every format, counts exactly, and says why it was wrong."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.linking import evaluate
from tenant_pipeline.evaluation.linking.own_format import own_tables

SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_shipped_gold_sample_is_linked_without_an_error() -> None:
    with as_file(files("tenant_pipeline").joinpath("samples", "gold", "linking")) as folder:
        (measured,) = evaluate(folder).measured
    assert (measured.dataset, measured.ours) == ("venues", Counts(18, 0, 0))
    assert measured.figures["records"] == 49


def test_pairs_in_the_format_of_ditto_are_one_row_each_with_their_label(tmp_path: Path) -> None:
    left = "COL name VAL ` hall 's ' COL addr VAL ' 12 thawi rd. ' COL city VAL patong COL phone VAL 076/555 -101"
    right = "COL name VAL hall 's COL addr VAL ' 12 thawi road ' COL city VAL patong COL phone VAL 076-555-101"
    other = "COL name VAL lantern COL addr VAL ' 9 dibuk road ' COL city VAL patong COL phone VAL 076-555-102"
    _write(tmp_path / "er_restaurants_fodors_zagat" / "train.txt", f"{left}\t{right}\t1\n{left}\t{other}\t0\n")
    evaluation = evaluate(tmp_path)
    (measured,) = evaluation.measured
    assert measured.ours == Counts(1, 0, 0)
    assert measured.groups["by pairs"]["labelled pairs only"] == Counts(1, 0, 0)
    assert len(evaluation.skipped) == 4


def test_people_with_a_cluster_are_grouped_and_errors_say_why(tmp_path: Path) -> None:
    rows = [
        "0,Robert,Hallam,1971-06-24,robert@one.example,0",
        "1,Rob,Hallam,1971-06-24,robert@one.example,0",
        "2,Anna,Weiss,1988-01-30,anna@two.example,1",
        "3,Zoe,Quinn,1950-12-01,zoe@three.example,1",
    ]
    _write(
        tmp_path / "er_people" / "made_up.csv",
        "unique_id,first_name,surname,dob,email,cluster\n" + "\n".join(rows) + "\n",
    )
    (measured,) = evaluate(tmp_path, peers=False).measured
    assert measured.ours == Counts(1, 0, 1)
    (error,) = measured.errors
    assert (error.expected, error.found) == ("one thing", "two things")
    assert "Their family names differ." in error.why


def test_our_own_format_takes_lists_in_json_lines_and_clusters(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "cluster": "1", "name@en": "Tamarind Harbour", "telephone": ["+6676555101", "+6676555102"]},
        {"id": "b", "cluster": "1", "name@en": "Tamarind Harbour", "telephone": "076 555 102"},
        {"id": "c", "cluster": "2", "name@en": "Blue Lantern", "telephone": "076 555 103"},
    ]
    _write(tmp_path / "records.jsonl", "\n".join(json.dumps(row) for row in rows))
    (measured,) = evaluate(tmp_path, peers=False).measured
    assert measured.ours == Counts(1, 0, 0)


def test_of_two_records_of_one_table_that_match_one_of_the_other_only_the_pairs_between_the_tables_count(
    tmp_path: Path,
) -> None:
    said = "Tamarind Harbour,12 Thawi Road,076 555 101,https://tamarind.example/"
    header = "id,name@en,address,telephone,url"
    _write(tmp_path / "left.csv", f"{header}\na,{said}\n")
    _write(tmp_path / "right.csv", f"{header}\nb1,{said}\nb2,{said}\n")
    _write(tmp_path / "pairs.csv", "left,right\na,b1\na,b2\n")
    (measured,) = evaluate(tmp_path, peers=False).measured
    assert (measured.ours, measured.errors) == (Counts(2, 0, 0), ())


def test_a_pair_of_records_that_are_not_there_is_refused_without_quoting_it(tmp_path: Path) -> None:
    _write(tmp_path / "left.csv", "id,name@en\na,Hall\n")
    _write(tmp_path / "right.csv", "id,name@en\nb,Hall\n")
    _write(tmp_path / "pairs.csv", "left,right\na,secret-id\n")
    with pytest.raises(InputError) as refused:
        own_tables(tmp_path)
    assert "secret-id" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared real data is not beside this checkout")
def test_real_restaurants_people_and_places_are_linked_as_well_as_promised() -> None:
    found = {each.dataset: each for each in evaluate(SHARED_DATA, peers=False).measured}
    scores = {name: each.ours.f() or 0.0 for name, each in found.items()}
    assert scores["er_restaurants_fodors_zagat: all tables"] >= 0.99
    assert scores["er_people: febrl 4"] >= 0.99
    assert scores["er_people: febrl 3"] >= 0.95
    assert scores["thai_gazetteers"] >= 0.985
    overture = found["overture_place_pairs: pairs_dev"]
    assert (overture.ours.recall or 0.0) >= 0.97
    assert max(float(overture.figures[name] or 0) for name in overture.figures if name.startswith("false")) <= 0.001
