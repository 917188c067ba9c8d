"""Comparators say the same of two values in either order, and never fail on what a source may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.conflict.comparators.registry import COMPARATORS, compare
from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition

TOKEN = "⟦PERSON:k1:00000000000000000000000000000000⟧"
OTHER_TOKEN = "⟦PERSON:k1:11111111111111111111111111111111⟧"


def of(datatype: Datatype, tolerance: float | None = None) -> PropertyDefinition:
    return PropertyDefinition("property", datatype, tolerance=tolerance)


@pytest.mark.parametrize(
    ("left", "right", "lang", "verdict", "rule"),
    [
        ("Patong–Beach", "patong beach", "en", Verdict.SAME, "names_equal_ignoring_case_spacing_and_punctuation"),
        ("Amphoe Kathu", "Kathu", "en", Verdict.SAME, "names_equal_ignoring_generic_words"),
        ("บริษัท ภูเก็ต จำกัด", "ภูเก็ต", "th", Verdict.SAME, "names_equal_ignoring_generic_words"),
        ("普吉國際會展中心", "普吉国际会展中心", "zh", Verdict.SAME, "names_equal_ignoring_generic_words"),
        ("ป่าตอง", "ปาตอง", "th", Verdict.DIFFERS, "names_differ"),
        ("!!!", "???", "en", Verdict.DIFFERS, "names_differ"),
    ],
)
def test_names_are_compared_by_their_letters_digits_and_marks(
    left: str, right: str, lang: str, verdict: Verdict, rule: str
) -> None:
    compared = compare(left, right, lang, of(Datatype.NAME))
    assert (compared.verdict, compared.rule) == (verdict, rule)


@pytest.mark.parametrize("dash", ["-", "–", "—"])
def test_no_kind_of_dash_tells_texts_apart(dash: str) -> None:
    assert compare(f"9{dash}17", "9 17", "en", of(Datatype.TEXT)).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("2023", "2023-03", Verdict.REFINES),
        ("2023-12", "2023-12-31", Verdict.REFINES),
        ("2023-03-01/2023-03-31", "2023-03", Verdict.SAME),
        ("2023-03/2023-05", "2023-04/2023-06", Verdict.REFINES),
        ("2023", "2024", Verdict.DIFFERS),
        ("2023-02-30", "2023", Verdict.INCOMPARABLE),
    ],
)
def test_dates_are_compared_as_intervals(left: str, right: str, verdict: Verdict) -> None:
    assert compare(left, right, "", of(Datatype.DATE)).verdict is verdict


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("99", "100", Verdict.SAME),
        ("98.9", "100", Verdict.DIFFERS),
        ("0", "0.0", Verdict.SAME),
        ("-100", "100", Verdict.DIFFERS),
        ("NaN", "1", Verdict.INCOMPARABLE),
        ("Infinity", "1", Verdict.INCOMPARABLE),
        ("many", "1", Verdict.INCOMPARABLE),
    ],
)
def test_numbers_agree_within_a_share_of_the_greater(left: str, right: str, verdict: Verdict) -> None:
    assert compare(left, right, "", of(Datatype.NUMBER, tolerance=0.01)).verdict is verdict


def test_places_agree_within_metres() -> None:
    """0.0009° of latitude is 100.08 m on a sphere of 6,371,008.8 m."""
    assert compare("7.890000,98.3", "7.890900,98.3", "", of(Datatype.GEO, 101)).verdict is Verdict.SAME
    assert compare("7.890000,98.3", "7.890900,98.3", "", of(Datatype.GEO, 100)).verdict is Verdict.DIFFERS


@pytest.mark.parametrize("datatype", list(Datatype))
def test_a_pseudonym_is_compared_by_equality_only(datatype: Datatype) -> None:
    assert compare(TOKEN, TOKEN, "en", of(datatype)).verdict is Verdict.SAME
    assert compare(TOKEN, OTHER_TOKEN, "en", of(datatype)).verdict is Verdict.DIFFERS
    assert compare(TOKEN, "Anna", "en", of(datatype)).verdict is Verdict.INCOMPARABLE


def test_every_comparator_has_a_sentence_for_a_person() -> None:
    assert all((comparator.__doc__ or "").endswith(".") for comparator in COMPARATORS.values())


likely = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="0123456789-/.,T:eE+NaInf", max_size=14),
    st.decimals().map(str),
    st.dates().map(str),
    st.sampled_from([TOKEN, OTHER_TOKEN]),
)


@given(left=likely, right=likely, datatype=st.sampled_from(Datatype), lang=st.sampled_from(["", "th", "en", "zh"]))
def test_any_two_texts_are_compared_alike_in_either_order(left: str, right: str, datatype: Datatype, lang: str) -> None:
    definition = of(datatype, tolerance=1)
    assert compare(left, right, lang, definition) == compare(right, left, lang, definition)
    assert compare(left, left, lang, definition).verdict is Verdict.SAME
