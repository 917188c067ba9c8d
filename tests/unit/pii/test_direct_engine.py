"""Fewer steps, the same answers: the engine told what to look for against Presidio's own."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.nearby_words import NO_SERIES, SERIES
from tenant_pipeline.pii.recognisers.registry import RECOGNISERS

FOUND = [
    "0812345678", "081-234-5678", "+66 81 234 5678", "13800138000", "1234567890", "a.b@mail.example", "AB1234567",
    "3-1006-00445-63-5", "1690000000000", "4111 1111 1111 1111", "somchai.j", "123-4-56789-0", "สมชาย ใจดี",
    "12/05/2566", "192.168.1.7", "02-123-4567", "(555) 123-4567",
]  # fmt: skip
WORDS = [
    "โทร", "เบอร์โทร", "ติดต่อ", "call", "tel", "hotel", "telephone", "phone:", "mobile", "电话", "手机", "请联系",
    "บัตรประชาชน", "เลขที่บัญชี", "account", "passport", "หนังสือเดินทาง", "line id", "ไลน์", "คุณ", "Mr.", "card", "ถนน",
    "ห้องประชุม", "id", "ID card no", "号", "wechat", "ราคา", "บาท", "room", "x" * 70, "ก" * 70,
]  # fmt: skip
GAPS = ["", " ", "  ", ": ", "\n", "-", " / ", "          ", "，", "."]
EVIDENCE = [
    series + recogniser.series.kind for recogniser in RECOGNISERS if recogniser.series for series in (SERIES, NO_SERIES)
]
FIELDS = [(), ("note",), ("โทรศัพท์",), ("contact person",), ("account no",), ("หมายเหตุ",)]

texts = st.lists(st.tuples(st.sampled_from(WORDS + FOUND), st.sampled_from(GAPS)), min_size=1, max_size=14).map(
    lambda pieces: "".join(word + gap for word, gap in pieces)
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=texts | st.sampled_from(FOUND) | st.from_regex(r"\A ?[0-9]{9,19}(?:\.0)? ?\Z"),
    field=st.sampled_from(FIELDS),
    evidence=st.lists(st.sampled_from(EVIDENCE), max_size=3),
)
def test_it_finds_what_presidio_finds_with_the_same_scores(
    analyzer: PiiAnalyzer, text: str, field: tuple[str, ...], evidence: list[str]
) -> None:
    context = (*field, *evidence)
    assert analyzer.find(text, context) == analyzer.find_by_engine_alone(text, context)


def test_a_whole_column_is_found_as_its_cells_are(analyzer: PiiAnalyzer) -> None:
    column = [f"{word}{gap}{found}" for word in WORDS for gap in GAPS[:3] for found in FOUND][::7]
    answers = analyzer.find_all(pa.array(column), ("note",))
    for index, text in enumerate(column):
        assert answers.get(index, ()) == analyzer.find_by_engine_alone(text, ("note",)), index
