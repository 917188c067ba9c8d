"""The shortcut before Presidio changes nothing, folding keeps offsets, and nothing opens a connection."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.th import pin

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.pii.analyzer import PiiAnalyzer, build_analyzer, language_of
from tenant_pipeline.pii.column_evidence import column_evidence
from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.nearby_words import field_words
from tenant_pipeline.pii.nlp_engine import build_nlp_engine
from tenant_pipeline.pii.recognisers.registry import STRUCTURAL_ENTITIES

CELLS = (
    "081-234-5678", "0812345678", "076212297", "+66812345678", "13800138000", "3-1006-00445-63-5", "3100600445635",
    "1690000000000", "a@b.co.th", "โทร", "tel", "电话", "passport", "AA1234567", "บัญชี", "1234567890", "123-4-56789-0",
    "LINE ID", "somchai_99", "ไลน์", "นายสมชาย ใจดี", "Dr. Somchai Jaidee", "王小明先生", "4111 1111 1111 1111", "card",
    "192.168.1.20", "00:1B:44:11:3A:B7", "GB82WEST12345698765432", "11010519491231002X", "7.880447", "2023-01-02",
    "0105536000313", "1กข 1234 กรุงเทพมหานคร", "京A12345", "460-89-9847", "(02) 4921 8282", "0678 12 34 56", "sms",
    "ssn", "driver's license", "F162823540116", "身份证", "110105491231002", "the", "said that he was", "John Smith",
    "my name is", "หญิง.@ไทย.ไทย",
    "กล่าวว่า", "สมชาย ใจดี", "และได้เดินทางไปยังจังหวัดภูเก็ตเมื่อวันที่", "记者", "王小明", "表示", "ทะเบียน",
    "ภูเก็ต", "Phuket", "普吉", "๐๘๑๒๓๔๕๖๗๘", "、", ",", "\n", "x", "⟦PERSON⟧", "ip", "(415) 555-2671", "id",
)  # fmt: skip
FIELDS = ("", "tel", "ผู้ติดต่อ", "passport no", "LINE ID", "บัญชีธนาคาร", "order id", "note", "licence plate")

cells = st.lists(st.sampled_from(CELLS) | st.text(max_size=6), max_size=6).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda gap: gap.join(parts))
)


@settings(max_examples=400, deadline=None)
@given(text=cells, field=st.sampled_from(FIELDS))
def test_the_shortcut_finds_what_plain_presidio_finds(analyzer: PiiAnalyzer, text: str, field: str) -> None:
    context = (field_words(field),) if field else ()
    assert analyzer.find(text, context) == analyzer.find_by_engine_alone(text, context)


def test_a_whole_column_gives_what_each_of_its_cells_gives(analyzer: PiiAnalyzer) -> None:
    chance = random.Random(3)
    for field in FIELDS:
        texts = sorted({" ".join(chance.choices(CELLS, k=chance.randint(1, 4))) for _ in range(400)})
        context: Sequence[str] = (field_words(field),) if field else ()
        together = analyzer.find_all(pa.array(texts), context)
        assert together == {
            index: found for index, text in enumerate(texts) if (found := analyzer.find_by_engine_alone(text, context))
        }


def test_who_seeks_some_types_gets_all_that_is_found_beside_them(analyzer: PiiAnalyzer) -> None:
    chance = random.Random(5)
    texts = pa.array(sorted({" ".join(chance.choices(CELLS, k=chance.randint(1, 4))) for _ in range(400)}))
    for field in FIELDS:
        context: Sequence[str] = (field_words(field),) if field else ()
        whole = analyzer.find_all(texts, context)
        for sought in (STRUCTURAL_ENTITIES, frozenset({"PHONE_NUMBER"})):
            among = {
                index: found for index, found in whole.items() if any(each.entity_type in sought for each in found)
            }
            sought_only = analyzer.find_all(texts, context, sought)
            assert 0 < len(among) < len(whole)
            assert {index: sought_only[index] for index in among} == among
            assert sought_only.items() <= whole.items()


def test_a_short_column_is_tested_as_a_long_one(analyzer: PiiAnalyzer) -> None:
    chance = random.Random(4)
    texts = sorted({"".join(chance.choices(CELLS, k=3)) for _ in range(400)})
    long = analyzer.find_all(pa.array(texts))
    short = {
        start + index: found
        for start in range(0, len(texts), 50)
        for index, found in analyzer.find_all(pa.array(texts[start : start + 50])).items()
    }
    assert long == short


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "a.",
        "a@",
        "ก@ก.",
        "นาย",
        "นาย ก",
        "0-",
        "ab12 ",
        "1:",
        "Dr. A ",
        "王",
        "line ",
        "(",
        "John the is ",
        "John Smith ",
        "กล่าวว่า",
        "ก ",
        "ก\n",
        "记者王",
        "0 1",
        "1 2-",
    ],
)
def test_a_hostile_text_is_answered_in_linear_time(analyzer: PiiAnalyzer, unit: str) -> None:
    started = time.process_time()
    analyzer.find(unit * 20_000, ("tel contact person passport",))
    assert time.process_time() - started < 5


@given(text=st.text())
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_thai_and_full_width_digits_fold_to_ascii() -> None:
    assert fold("๐๑๒๓๔๕๖๗๘๙０１２３４５６７８９") == "01234567890123456789"
    assert fold("ａ＠ｂ．ｃ – — －\u200b") == "a@b.c - - - "


@settings(max_examples=200, deadline=None)
@given(text=cells)
def test_findings_never_overlap(analyzer: PiiAnalyzer, text: str) -> None:
    position = 0
    for found in analyzer.find(text):
        assert position <= found.start < found.end <= len(text)
        position = found.end


def test_screening_never_opens_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fresh = build_analyzer()
    assert [one.entity_type for one in fresh.find("โทร 081-234-5678 อีเมล a@b.newtld ค่ะ")] == [
        "PHONE_NUMBER",
        "EMAIL_ADDRESS",
    ]


def test_a_model_that_is_not_installed_is_refused_and_not_downloaded() -> None:
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": "en_core_web_none"}]}
    with pytest.raises(SettingsError, match="not installed"):
        build_nlp_engine(configuration)


def test_each_language_is_tokenised_by_its_own_tokeniser(analyzer: PiiAnalyzer) -> None:
    assert [language_of(text) for text in ("โทร call", "call", "致电 call", "été")] == ["th", "en", "zh", "en"]
    artifacts = analyzer.engine.nlp_engine.process_text("หมายเลขโทรศัพท์ Tel", "th")
    assert "tel" in artifacts.lemmas
    assert len(artifacts.lemmas) > 2


def test_a_column_of_ids_vouches_for_its_bare_numbers_and_a_column_of_time_stamps_against() -> None:
    ids = pa.array([base + pin.calc_check_digit(base) for base in ("110370000001", "310060044563", "183990000012")])
    chance = random.Random(5)
    stamps = pa.array([str(chance.randrange(1_600_000_000_000, 1_700_000_000_000)) for _ in range(100)])
    padded = pa.array([f"{chance.randrange(10**10):010d}" for _ in range(1_000)])
    behind_codes = pa.array([*(f"{code:010d}" for code in range(2_500)), *(f"0812{n:06d}" for n in range(3_500))])
    assert "series:th-national-id" in column_evidence(ids)
    assert "no-series:th-national-id" in column_evidence(stamps)
    assert "no-series:th-phone" in column_evidence(padded)
    assert "series:th-phone" in column_evidence(behind_codes)
    assert column_evidence(pa.array(["ภูเก็ต", None])) == ()
