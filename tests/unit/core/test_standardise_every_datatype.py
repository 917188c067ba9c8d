"""What holds for every standardiser: it reads its own output as itself, and refuses rather than fails."""

from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable
from tenant_pipeline.core.standardise.stage import LONGEST_CODED_VALUE, STANDARDISERS, standardise_value
from tenant_pipeline.core.statement import Datatype
from tests.unit.core.standardise_memory import TOKEN, VOCABULARY

BLNS = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data" / "blns" / "blns.json"

FRAGMENTS = (
    "๑๓ มีนาคม ๒๕๖๖", "13 มี.ค. 66", "12–14", "2569", "พ.ศ.", "ค.ศ.", "2026年3月", "12日", "至",
    "March", "-", "/", ",", " ", "ไร่", "งาน", "ตร.ว.", "m²", "亩", "1,600", "0.5", "%",
    "ล้าน", "约", "~", "คน", "7.88", "98.39", "°", "'", "\"", "N", "E", "เหนือ", "ตะวันออก",
    "POINT(", ")", "{", "}", "076-321-234", "+66", "ต่อ 12", "1155", "ext", "http://",
    "WWW.", "x.com", "ไทย", "?utm_source=a", "#f", "%zz", "/..", "@", "a@b.co", "ม.5",
    "ต.ฉลอง", "อ.เมือง", "จ.ภูเก็ต", "กทม.", "ถ.", "ซ.", "83130", "Moo 5", "T. Chalong",
    "A. Muang", "Rd.", "บริษัท", "จำกัด", "Co., Ltd.", "有限公司", "ํา", "เเ", "่่", "\u200b",
    "ß", "İ", "ﬀ", "yes", "ไม่มี", "Place:identifier:", "ent-", TOKEN, "๘๓๐๑", "8301.0",
    "T09:30", "T03:00-05:00", "เวลา 09.30 น.", "Z", "e5", "(", "[", "\x00",
)  # fmt: skip
pieced_together = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=7).map("".join)
spaced = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=7).map(" ".join)
anything = st.one_of(st.text(max_size=80), pieced_together, spaced)
properties = {definition.datatype: definition for definition in VOCABULARY.properties.values()}


def read(datatype: Datatype, value: str, lang: str = "") -> Standardised | Unreadable:
    context = Context(lang, properties.get(datatype), VOCABULARY.properties)
    try:
        return standardise_value(datatype, value, context)
    except Unreadable as unreadable:
        return unreadable


def test_every_datatype_has_a_standardiser() -> None:
    assert set(STANDARDISERS) == set(Datatype)


@pytest.mark.parametrize("datatype", list(Datatype))
@settings(max_examples=250, deadline=None)
@given(value=anything, lang=st.sampled_from(("", "th", "en", "zh")))
def test_a_canonical_value_is_read_as_itself(datatype: Datatype, value: str, lang: str) -> None:
    outcome = read(datatype, value, lang)
    if isinstance(outcome, Standardised):
        for canonical in (outcome.value, *outcome.others):
            again = read(datatype, canonical, lang)
            assert isinstance(again, Standardised)
            assert (again.value, again.others) == (canonical, ())
            canonical.encode()
    else:
        assert outcome.code
        assert outcome.reason.endswith(".")


@pytest.mark.parametrize("datatype", list(Datatype))
def test_a_pseudonym_passes_unchanged(datatype: Datatype) -> None:
    assert read(datatype, TOKEN) == Standardised(TOKEN, "pseudonym")


@pytest.mark.parametrize(
    "datatype", [Datatype.NAME, Datatype.TEXT, Datatype.ADDRESS, Datatype.CATEGORY, Datatype.IDENTIFIER]
)
def test_a_pseudonym_inside_a_text_stays_whole(datatype: Datatype) -> None:
    outcome = read(datatype, f"ติดต่อ  คุณ {TOKEN} ม.5 ต.ฉลอง")
    assert isinstance(outcome, Standardised)
    assert TOKEN in outcome.value


@pytest.mark.parametrize("datatype", list(Datatype))
def test_naughty_strings_are_read_or_refused(datatype: Datatype) -> None:
    if not BLNS.exists():
        pytest.skip("the list of naughty strings is not beside this checkout")
    for value in json.loads(BLNS.read_text()):
        outcome = read(datatype, value)
        if isinstance(outcome, Standardised):
            again = read(datatype, outcome.value)
            assert isinstance(again, Standardised)
            assert again.value == outcome.value


@pytest.mark.timeout(5)
@pytest.mark.parametrize("datatype", sorted(set(Datatype) - {Datatype.TEXT, Datatype.GEO}))
@pytest.mark.parametrize("piece", ["1", "1,", "1-", "ก", " ", "1 ", "a.", "(", "12/", "ม.1", "%4", "1°", "ext"])
def test_long_values_take_no_long_time(datatype: Datatype, piece: str) -> None:
    read(datatype, (piece * LONGEST_CODED_VALUE)[:LONGEST_CODED_VALUE])
    outcome = read(datatype, (piece * (LONGEST_CODED_VALUE + 1))[: LONGEST_CODED_VALUE + 1])
    assert isinstance(outcome, Unreadable)
    assert outcome.code == "value-too-long"


def test_a_reason_never_quotes_the_value() -> None:
    for datatype in Datatype:
        outcome = read(datatype, "secret-4711\u200b@@/ /")
        if isinstance(outcome, Unreadable):
            assert "4711" not in outcome.code + outcome.reason
