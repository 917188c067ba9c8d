"""What each comparison rule promises, datatype by datatype."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.conflict.comparators.registry import RULES, SENTENCES, compare
from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition
from tests.unit.core.conflict_candidates import PROPERTIES

TOKEN = "⟦PHONE_NUMBER:k1:0123456789abcdef0123456789abcdef⟧"
OTHER_TOKEN = "⟦PHONE_NUMBER:k1:fedcba9876543210fedcba9876543210⟧"
ROTATED_TOKEN = "⟦PHONE_NUMBER:k2:0123456789abcdef0123456789abcdef⟧"

CASES = [
    ("name", "en", "Talat Yai", "Talat Yai", "same", "equal_after_standardisation"),
    ("name", "en", "Talat Yai", "talatyai", "same", "names_equal_ignoring_case_spacing_and_punctuation"),
    ("name", "en", "Ko Kaeo", "Ko-Kaeo", "same", "names_equal_ignoring_case_spacing_and_punctuation"),
    ("name", "en", "Café del Mar", "Cafe Del Mar", "same", "names_equal_ignoring_accents"),
    ("name", "en", "Andaman Events Co., Ltd.", "Andaman Events", "same", "names_equal_ignoring_generic_words"),
    ("name", "en", "Khet Dusit", "Dusit", "same", "names_equal_ignoring_generic_words"),
    ("name", "th", "อำเภอกะทู้", "กะทู้", "same", "names_equal_ignoring_generic_words"),
    ("name", "th", "บริษัท อันดามัน จำกัด", "อันดามัน", "same", "names_equal_ignoring_generic_words"),
    ("name", "zh", "普吉府", "普吉", "same", "names_equal_ignoring_generic_words"),
    ("name", "th", "ป่าตอง", "ปาตอง", "differs", "names_differ"),
    ("name", "en", "Patong", "Pa Thong", "differs", "names_differ"),
    ("name", "en", "Bay Centre", "Bay Center", "differs", "names_differ"),
    ("name", "en", "Hall 1-2", "Hall 12", "differs", "names_differ"),
    ("name", "en", "Hall 1-2 Co., Ltd.", "Hall 12", "differs", "names_differ"),
    ("name", "en", "Hall 1-2", "hall 1 2", "same", "names_equal_ignoring_case_spacing_and_punctuation"),
    ("name", "th", "บริษัท ๑-๒ จำกัด", "1 2", "same", "names_equal_ignoring_generic_words"),
    ("name", "en", "Hall 5", "Hall5", "same", "names_equal_ignoring_case_spacing_and_punctuation"),
    ("name", "", "ภูเก็ต", "Phuket", "incomparable", "names_in_different_scripts"),
    ("geo", "", "7.890000,98.400000", "7.890500,98.400000", "same", "places_within_tolerance"),
    ("geo", "", "7.890000,98.400000", "7.990000,98.400000", "differs", "places_too_far_apart"),
    ("geo", "", "7.890000,98.400000", '{"type":"LineString"}', "incomparable", "places_of_unknown_form"),
    ("floorSize", "", "1600", "1600.0", "same", "numbers_equal"),
    ("floorSize", "", "1600", "1610", "same", "numbers_within_tolerance"),
    ("floorSize", "", "1600", "1700", "differs", "numbers_differ"),
    ("maximumAttendeeCapacity", "", "500", "501", "differs", "numbers_differ"),
    ("maximumAttendeeCapacity", "", "500", "NaN", "incomparable", "numbers_of_unknown_form"),
    ("openingDate", "", "2023", "2023-03", "refines", "dates_one_within_the_other"),
    ("openingDate", "", "2023-03", "2023-03-13", "refines", "dates_one_within_the_other"),
    ("openingDate", "", "2023-03-13", "2023-03-13T09:30", "refines", "dates_one_within_the_other"),
    ("openingDate", "", "2023-03-01/2023-03-31", "2023-03", "same", "dates_equal"),
    ("openingDate", "", "2023-03-01/2023-03-10", "2023-03-05/2023-03-15", "differs", "dates_differ"),
    ("openingDate", "", "2023-03-13T09:30", "2023-03-13T15:00", "differs", "dates_differ"),
    ("openingDate", "", "2023-03-13T09:30:00Z", "2023-03-13T16:30:00+07:00", "same", "dates_equal"),
    ("openingDate", "", "2023-03-13T09:00", "2023-03-13T09:00Z", "differs", "dates_differ"),
    ("openingDate", "", "2023-03-13T09:00", "2023-03-13T09:00+07:00", "same", "dates_equal"),
    ("openingDate", "", "2026-03-12", "2026-03-12T03:00+07:00", "refines", "dates_one_within_the_other"),
    ("openingDate", "", "2026-03-12", "2026-03-12T00:00:00+07:00", "refines", "dates_one_within_the_other"),
    ("openingDate", "", "2026-03-12", "2026-03-11T20:00Z", "refines", "dates_one_within_the_other"),
    ("openingDate", "", "2026-03-12", "2026-03-12T18:00Z", "differs", "dates_differ"),
    ("openingDate", "", "2023-12", "2024-01", "differs", "dates_differ"),
    ("validThrough", "", "9999-12-31", "2027-12-31", "differs", "dates_differ"),
    ("validThrough", "", "9999-12-31", "9999-12", "refines", "dates_one_within_the_other"),
    ("openingDate", "", "2023", "soon", "incomparable", "dates_of_unknown_form"),
    ("validThrough", "", "2026-12-31", "2027-01-01", "same", "dates_within_tolerance"),
    ("postalCode", "", "83000", "83100", "differs", "codes_differ"),
    ("areaCode", "", "83", "830101", "refines", "administrative_code_is_narrower"),
    ("areaCode", "", "8301", "8302", "differs", "codes_differ"),
    ("website", "", "https://www.a.example/", "http://a.example", "same", "urls_equal_ignoring_scheme_and_www"),
    ("website", "", "https://a.example/", "https://a.example/en", "refines", "url_is_a_page_of_the_other"),
    ("website", "", "https://a.example/", "https://a.example.org/", "differs", "urls_differ"),
    ("licenceStatus", "", "in force", "in-force", "same", "texts_equal_ignoring_case_spacing_and_punctuation"),
    ("licenceStatus", "en", "1.50 baht", "150 baht", "differs", "texts_differ"),
    ("licenceStatus", "en", "1,500 baht", "1500 baht", "same", "texts_equal_ignoring_case_spacing_and_punctuation"),
    ("licenceStatus", "en", "1,234,500 baht", "1234500 baht", "same",
     "texts_equal_ignoring_case_spacing_and_punctuation"),
    ("licenceStatus", "en", "1,5 baht", "15 baht", "differs", "texts_differ"),
    ("licenceStatus", "en", "halls 1,200,3", "halls 12003", "differs", "texts_differ"),
    ("licenceStatus", "en", "1/2", "1-2", "differs", "texts_differ"),
    ("contact", "", TOKEN, OTHER_TOKEN, "differs", "pseudonyms_differ"),
    ("contact", "", TOKEN, ROTATED_TOKEN, "incomparable", "pseudonyms_under_different_keys"),
    ("contact", "", TOKEN, "+6676000000", "incomparable", "pseudonym_beside_a_plain_value"),
    ("address", "th", "12/3 ถนนราษฎร์อุทิศ ตำบลป่าตอง", "12/3, ถนนราษฎร์อุทิศ ตำบลป่าตอง", "same",
     "texts_equal_ignoring_case_spacing_and_punctuation"),
    ("address", "th", "12/3 ถนนรัษฎา ตำบลตลาดใหญ่ อำเภอเมืองภูเก็ต 83000", "ถนนรัษฎา ตำบลตลาดใหญ่", "refines",
     "address_gives_more_parts"),
    ("address", "th", "12/3 ถนนรัษฎา ตำบลตลาดใหญ่ 83000", "99 ถนนรัษฎา ตำบลตลาดใหญ่", "differs",
     "address_parts_differ"),
    ("address", "th", "12/3 ถนนรัษฎา ตำบลตลาดใหญ่", "123 ถนนรัษฎา ตำบลตลาดใหญ่", "differs", "address_parts_differ"),
    ("address", "th", "12/3 ถนนรัษฎา ตำบลตลาดใหญ่ อำเภอเมืองภูเก็ต 83000", "123 ถนนรัษฎา ตำบลตลาดใหญ่", "differs",
     "address_parts_differ"),
    ("address", "th", "1/23 ถนนรัษฎา", "12/3 ถนนรัษฎา", "differs", "address_parts_differ"),
    ("address", "th", "12/14 ถนนรัษฎา", "12-14 ถนนรัษฎา", "differs", "address_parts_differ"),
    ("address", "th", "9 ซอย 1/2 ถนนรัษฎา", "9 ซอย 12 ถนนรัษฎา 83000", "differs", "address_parts_differ"),
    ("address", "en", "1/23", "12/3", "differs", "address_parts_differ"),
    ("address", "th", "2 ชั้น 12 ถนนรัษฎา ตำบลตลาดใหญ่", "2 ชั้น 1 ถนนรัษฎา ตำบลตลาดใหญ่", "differs", "texts_differ"),
    ("address", "th", "2 ชั้น 2 ถนนรัษฎา ตำบลตลาดใหญ่", "2 ชั้น 3 ถนนรัษฎา ตำบลตลาดใหญ่", "differs", "texts_differ"),
    ("address", "en", "99 Moo 5, Building 15, Tambon Rawai", "99 Moo 5, Building 1, Tambon Rawai", "differs",
     "texts_differ"),
    ("address", "th", "12 ถนนรัษฎา อำเภอเมือง จังหวัดภูเก็ต", "12 ถนนรัษฎา อำเภอเมืองภูเก็ต จังหวัดภูเก็ต", "same",
     "address_parts_equal"),
    ("address", "en", "12 Moo 5, Amphoe Muang, Changwat Phuket", "12 Moo 5, Amphoe Mueang Phuket, Changwat Phuket",
     "same", "address_parts_equal"),
    ("address", "th", "12 ถนนรัษฎา อำเภอเมือง จังหวัดภูเก็ต", "12 ถนนรัษฎา อำเภอเมืองกระบี่", "differs",
     "address_parts_differ"),
    ("address", "th", "12 ถนนรัษฎา อำเภอเมือง", "12 ถนนรัษฎา อำเภอเมืองกระบี่", "refines", "address_gives_more_parts"),
    ("licenceStatus", "en", "Thai restaurant", "restaurant", "refines", "category_is_a_narrower_one"),
    ("licenceStatus", "th", "ร้านอาหารไทย", "ร้านอาหาร", "refines", "category_is_a_narrower_one"),
    ("licenceStatus", "zh", "泰国餐厅", "餐厅", "refines", "category_is_a_narrower_one"),
    ("licenceStatus", "en", "restaurant supplier", "restaurant", "differs", "texts_differ"),
    ("licenceStatus", "en", "in force", "not in force", "differs", "texts_differ"),
    ("licenceStatus", "en", "not for rent", "rent", "differs", "texts_differ"),
    ("licenceStatus", "en", "not-for-profit hospital", "hospital", "refines", "category_is_a_narrower_one"),
    ("licenceStatus", "en", "no longer licensed", "licensed", "differs", "texts_differ"),
    ("licenceStatus", "en", "non-smoking restaurant", "restaurant", "refines", "category_is_a_narrower_one"),
    ("licenceStatus", "th", "ใช้งาน", "ใช้งานไม่ได้", "differs", "texts_differ"),
    ("licenceStatus", "zh", "生效", "尚未生效", "differs", "texts_differ"),
    ("licenceStatus", "zh", "营业", "停止营业", "differs", "texts_differ"),
    ("licenceStatus", "zh", "非洲餐厅", "餐厅", "refines", "category_is_a_narrower_one"),
    ("addressCountry", "", "Sudan", "South Sudan", "differs", "texts_differ"),
    ("maximumAttendeeCapacity", "", "1200", "1234", "refines", "number_is_the_other_rounded"),
    ("maximumAttendeeCapacity", "", "1000", "1234", "differs", "numbers_differ"),
    ("maximumAttendeeCapacity", "", "98.4", "98.39", "refines", "number_is_the_other_rounded"),
    ("address", "en", "Hotel Zone, Phuket 83150", "Boat Avenue, Phuket 83150", "incomparable",
     "addresses_without_a_part_in_common"),
]  # fmt: skip


@pytest.mark.parametrize(("property_", "lang", "left", "right", "verdict", "rule"), CASES)
def test_each_rule_says_what_its_name_says(
    property_: str, lang: str, left: str, right: str, verdict: str, rule: str
) -> None:
    for one, other in ((left, right), (right, left)):
        found = compare(one, other, lang, PROPERTIES[property_])
        assert (found.verdict, found.rule) == (verdict, rule)


@pytest.mark.parametrize(
    ("property_", "measured", "again", "otherwise"),
    [
        ("floorSize", "5600", "5601", "6400"),
        ("geo", "7.880000,98.390000", "7.880500,98.390500", "7.990000,98.390000"),
    ],
)
def test_what_is_measured_may_differ_by_as_much_as_the_vocabulary_declares(
    property_: str, measured: str, again: str, otherwise: str
) -> None:
    definition = load_contracts().vocabulary.property(property_)
    assert compare(measured, again, "", definition).verdict is Verdict.SAME
    assert compare(measured, otherwise, "", definition).verdict is Verdict.DIFFERS


def test_every_datatype_has_rules_and_every_rule_a_sentence() -> None:
    assert set(RULES) == set(Datatype)
    for name, sentence in SENTENCES.items():
        assert sentence.endswith("."), name


values = st.one_of(
    st.text(max_size=20),
    st.sampled_from([case[2] for case in CASES] + [case[3] for case in CASES]),
)


@given(st.sampled_from(sorted(PROPERTIES)), values, values)
def test_comparing_never_fails_and_does_not_care_which_is_left(property_: str, left: str, right: str) -> None:
    definition = PROPERTIES[property_]
    assert compare(left, right, "en", definition) == compare(right, left, "en", definition)
    assert compare(left, left, "en", definition).verdict is Verdict.SAME


def of(datatype: Datatype, tolerance: float | None = None) -> PropertyDefinition:
    return PropertyDefinition("property", datatype, tolerance=tolerance)


@pytest.mark.parametrize("dash", ["-", "–", "—"])
def test_no_kind_of_dash_tells_texts_apart(dash: str) -> None:
    assert compare(f"9{dash}17", "9 17", "en", of(Datatype.TEXT)).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("2023", "2023-03", Verdict.REFINES),
        ("2023-12", "2023-12-31", Verdict.REFINES),
        ("2023-03-01/2023-03-31", "2023-03", Verdict.SAME),
        ("2023-03/2023-05", "2023-04/2023-06", Verdict.DIFFERS),
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
