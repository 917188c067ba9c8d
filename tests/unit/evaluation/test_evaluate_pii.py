"""The evaluation counts what is right and wrong on gold data of three forms, and says where it went wrong."""

from __future__ import annotations

import json
import pathlib
import random
import socket

import pytest

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.pii import evaluate, false_alarms
from tenant_pipeline.evaluation.pii.gold import GoldSet, GoldText, Span
from tenant_pipeline.evaluation.pii.gold_readers import read_gold
from tenant_pipeline.evaluation.pii.inline_tagged import inline_tagged
from tenant_pipeline.evaluation.pii.place_names import place_names
from tenant_pipeline.evaluation.pii.random_values import EACH, random_values
from tenant_pipeline.evaluation.pii.scoring import score, worst
from tenant_pipeline.evaluation.pii.thai_name_training import labels_of, train, with_other_names
from tenant_pipeline.evaluation.pii.thai_ner import not_learnt_from, training_half

SAMPLE = pathlib.Path(__file__).resolve().parents[3] / "tenant_pipeline" / "samples" / "gold" / "pii"
SHARED_DATA = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data"


def gold_set(*texts: GoldText, types: dict[str, str | None] | None = None) -> GoldSet:
    return GoldSet("set", texts, types or {})


def test_hits_misses_and_false_alarms_are_counted_by_overlap_and_by_exact_boundaries() -> None:
    gold = gold_set(
        GoldText("0123456789", "en", (Span(0, 4, "PHONE"), Span(6, 8, "EMAIL")), "a:1", "form"),
        GoldText("0123456789", "th", (Span(2, 5, "PHONE"),), "a:2", "form"),
    )
    answers = {
        "a:1": [(Span(2, 5, "PHONE_NUMBER"), 0.9), (Span(8, 10, "EMAIL_ADDRESS"), 0.6), (Span(0, 1, "IBAN_CODE"), 0.9)],
        "a:2": [(Span(2, 5, "PHONE_NUMBER"), 0.9)],
    }
    result = score(gold, lambda text: answers[text.place])
    assert result.overlap == Counts(2, 1, 1)
    assert result.exact == Counts(1, 2, 2)
    assert result.by_type == {"PHONE_NUMBER": Counts(2, 0, 0), "EMAIL_ADDRESS": Counts(0, 1, 1)}
    assert result.by_language == {"en": Counts(1, 1, 1), "th": Counts(1, 0, 0)}
    assert result.by_source == {"form": Counts(2, 1, 1)}
    assert result.unmarked_types == {"IBAN_CODE": 1}
    assert [(error.place, error.expected, error.found) for error in worst(result.errors)] == [
        ("a:1", "EMAIL_ADDRESS", "nothing"),
        ("a:1", "nothing", "EMAIL_ADDRESS"),
    ]


def test_a_title_inside_a_marked_name_is_no_difference() -> None:
    text = "นายสมชาย ใจดี มา"
    gold = gold_set(GoldText(text, "th", (Span(0, 13, "PERSON"),), "a:1"))
    assert score(gold, lambda _: [(Span(3, 13, "PERSON"), 0.8)]).exact == Counts(1, 0, 0)
    assert score(gold, lambda _: [(Span(3, 8, "PERSON"), 0.8)]).exact == Counts(0, 1, 1)


def test_names_outside_thai_are_counted_apart() -> None:
    gold = gold_set(GoldText("John Smith", "en", (Span(0, 10, "PERSON"),), "a:1"))
    result = score(gold, lambda _: [])
    assert result.overlap == Counts()
    assert result.needing_a_model == {"PERSON en": Counts(0, 0, 1)}


def test_labels_are_mapped_by_default_and_by_the_gold_data_itself() -> None:
    gold = gold_set(types={"MOBILE": "PHONE_NUMBER", "EMAIL": None})
    labels = ("MOBILE", "EMAIL", "SSN", "PERSON", "GPE")
    assert [gold.type_of(label) for label in labels] == ["PHONE_NUMBER", None, "US_SSN", "PERSON", None]


def test_inline_tags_become_spans_and_vanish_from_the_text() -> None:
    gold = inline_tagged("ที่[LOCATION]ไทย[/LOCATION] โดย [PERSON]นายก ข[/PERSON] [1] [/X][PERSON]", "f:1")
    assert gold.text == "ที่ไทย โดย นายก ข [1] "
    assert [(gold.text[span.start : span.end], span.type) for span in gold.spans] == [
        ("ไทย", "LOCATION"),
        ("นายก ข", "PERSON"),
    ]


def test_each_form_of_gold_data_is_known_by_its_content(tmp_path: pathlib.Path) -> None:
    (tmp_path / "own.jsonl").write_text(
        '{"types": {"MOBILE": "PHONE_NUMBER"}}\n'
        '{"text": "tel 1", "language": "en", "source": "s", "spans": [{"type": "MOBILE", "start": 4, "end": 5}]}\n'
    )
    span = {"start_position": 0, "end_position": 2, "entity_type": "PERSON", "entity_value": "Al"}
    (tmp_path / "research.json").write_text(json.dumps([{"full_text": "Al ran", "spans": [span]}]))
    (tmp_path / "tagged.txt").write_text("[PERSON]ก ข[/PERSON] มา\n\nไป\n", encoding="utf-8")
    (tmp_path / "other.json").write_text('{"a": 1}')
    (tmp_path / "other.jsonl").write_text('{"id": 1}\n')
    (tmp_path / "other.txt").write_text("[1] nothing\n")
    read = {path.name: read_gold(path, path.stem) for path in sorted(tmp_path.iterdir())}
    assert {name: gold and len(gold.texts) for name, gold in read.items()} == {
        "own.jsonl": 1,
        "research.json": 1,
        "tagged.txt": 2,
        "other.json": None,
        "other.jsonl": None,
        "other.txt": None,
    }
    own = read["own.jsonl"]
    assert own is not None
    assert own.texts[0] == GoldText("tel 1", "en", (Span(4, 5, "MOBILE"),), "own.jsonl:2", "s")
    assert own.type_of("MOBILE") == "PHONE_NUMBER"


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "secret", "language": "en", "spans": [{"type": "X", "start": 0, "end": 7}]}',
        '{"text": "secret", "language": "en", "spans": [{"type": "X", "start": 2, "end": 2}]}',
        '{"text": "secret", "language": "en", "spans": [{"start": 0, "end": 2}]}',
        '{"text": "secret", "language": "fr", "spans": []}',
        '{"other": "secret"}',
        '["secret"]',
        "{secret",
    ],
)
def test_broken_gold_data_is_refused_by_its_place_and_never_quoted(tmp_path: pathlib.Path, line: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"text": "x", "language": "en", "spans": []}\n' + line + "\n")
    with pytest.raises(InputError) as refusal:
        read_gold(path, "gold")
    assert refusal.value.where == "gold.jsonl:2"
    assert "secret" not in str(refusal.value)


def test_random_values_are_the_same_each_time_and_of_every_kind() -> None:
    values = random_values()
    assert values == random_values()
    assert {len(texts) for texts in values.values()} == {EACH}
    assert all(len(text) == 13 for text in values["ids of 13 digits"])


def test_place_names_are_read_from_every_form(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.json").write_text(
        json.dumps({"stops": [{"name": {"th": "ก", "en": "A"}, "stop_name_th": "ข", "id": "x"}]})
    )
    (tmp_path / "b.jsonl").write_text(json.dumps({"names": '{"primary": "B"}'}) + "\n")
    (tmp_path / "c.csv").write_text("id|http://x.example#name|phone\n1|C|2\n")
    (tmp_path / "d.txt").write_text("* {{see\n| name=D | lat=1 }}\nCOL name VAL ` E ' COL addr VAL 1 COL x\n")
    (tmp_path / "e.txt").write_bytes(b"\xff\xfe|name=F\n")
    assert place_names(tmp_path) == ["A", "B", "C", "D", "E", "ก", "ข"]


def test_a_block_of_lines_falls_to_one_side_and_what_was_learnt_is_left_out() -> None:
    texts = [GoldText(f"line {number}", "th", (), f"f:{number}") for number in range(400)]
    learnt = {text.place for text in training_half(texts)}
    assert 0 < len(learnt) < 400
    for start in range(0, 400, 40):
        block = {text.place for text in texts[start : start + 40]}
        assert block <= learnt or not block & learnt
    assert not_learnt_from(texts) == tuple(texts)


def test_training_learns_where_names_stand_and_the_same_texts_give_the_same_model(tmp_path: pathlib.Path) -> None:
    texts = [inline_tagged(f"โดย [PERSON]นายสมชาย ใจดี[/PERSON] กล่าวว่า ข้อ {n}", f"f:{n}") for n in range(30)]
    train(texts, tmp_path / "a")
    train(texts, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_text_with_other_names_keeps_its_titles_and_its_spans_fit() -> None:
    gold = inline_tagged("โดย [PERSON]นายสมชาย ใจดี[/PERSON] และ [PERSON]มาลี[/PERSON] มา", "f:1")
    other = with_other_names(gold, random.Random(1), ["กานดา"], ["วงศ์ดี"])
    assert other.text == "โดย นายกานดา วงศ์ดี และ กานดา มา"
    assert [other.text[span.start : span.end] for span in other.spans] == ["นายกานดา วงศ์ดี", "กานดา"]


def test_labels_follow_the_words() -> None:
    assert labels_of(["โดย", " ", "นาย", "สมชาย", " "], [Span(4, 12, "PERSON")]) == ["O", "O", "B", "I", "O"]


def test_the_shipped_sample_is_recognised_and_no_connection_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    sample, values = evaluate(SAMPLE, peers=False).measured
    assert sample.dataset == "people_and_numbers"
    assert sample.figures["texts"] == 54
    assert (sample.ours.false_negatives, sample.ours.false_positives) == (0, 0)
    assert set(sample.groups["by language"]) == {"th", "en", "zh"}
    assert sample.groups["only with a trained model"].keys() == {"PERSON en", "PERSON zh"}
    assert values.dataset == "random values"
    flagged = [share for kind, share in values.figures.items() if kind != "values of each kind"]
    assert all(isinstance(share, float) and share < 0.01 for share in flagged)


def test_a_peer_is_measured_on_the_same_texts(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_alarms, "random_values", lambda: {"ids": ["1234567890", "2345678901"]})
    text = "โดย นายสมชาย ใจดี กล่าวว่า อีเมล somchai@example.com"
    spans = [{"type": "PERSON", "start": 4, "end": 17}, {"type": "EMAIL", "start": 33, "end": 52}]
    line = json.dumps({"text": text, "language": "th", "spans": spans})
    (tmp_path / "gold.jsonl").write_text(line + "\n")
    (measured, values) = evaluate(tmp_path).measured
    assert measured.ours == Counts(2, 0, 0)
    assert measured.peers["Presidio, default registry"] == Counts(1, 0, 1)
    assert measured.peers["PyThaiNLP thainer_crf_1_5_1, names only"] == Counts(1, 0, 0)
    assert values.figures["ids: Presidio, default registry"] == 1.0


def test_a_folder_that_is_not_there_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        evaluate(tmp_path / "none")


@pytest.mark.slow
def test_the_shared_sets_reach_their_targets() -> None:
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data folder is not beside this checkout")
    evaluation = evaluate(SHARED_DATA, peers=False)
    measured = {each.dataset: each for each in evaluation.measured}
    sentences = measured["pii_presidio"].ours
    assert (sentences.precision or 0) >= 0.97
    assert (sentences.recall or 0) >= 0.95
    assert (measured["thai_ner_train"].groups["by type"]["PERSON"].f() or 0) >= 0.88
    for name, each in measured.items():
        if name.endswith("names of places"):
            share = each.figures["share taken for a person"]
            assert isinstance(share, float)
            assert share < 0.02
