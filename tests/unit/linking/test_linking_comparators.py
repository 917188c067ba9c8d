"""What each comparison says of two records: across spellings, scripts, legal forms, and what everybody shares."""

from __future__ import annotations

import pytest

from tenant_pipeline.core.generic_words import GENERIC_WORDS
from tenant_pipeline.linking.blocking import blocking_keys, bulk_keys
from tenant_pipeline.linking.columns import national_digits, site_and_page
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import PEOPLE, PLACES, Model
from tenant_pipeline.linking.romanisation import sounds
from tenant_pipeline.linking.streets import house_numbers, street_words
from tenant_pipeline.linking.words import words_of


def _record(*said: tuple[str, str, str], type_: str = "Place") -> Features:
    features = Features("x", type_)
    for property_, value, lang in said:
        features.add(property_, value, lang, identifying=False)
    return features


def _level(comparison: str, one: Features, other: Features, model: Model = PLACES) -> str | None:
    levels = model.levels_of(model.prepare(one), model.prepare(other))
    shown = {each.name: (each, level) for each, level in zip(model.comparisons, levels, strict=True)}
    found, level = shown[comparison]
    return None if level is None else found.levels[level].name


@pytest.mark.parametrize(
    ("one", "other", "lang", "level"),
    [
        ("Laem Thong Beach Hotel", "Laem Thong Beach Hotel", "en", "same_distinctive"),
        ("Sri Andaman Resort Co., Ltd.", "Sri Andaman Resort", "en", "same_distinctive"),
        ("บริษัท ทะเลงาม จำกัด", "ทะเลงาม", "th", "same_distinctive"),
        ("蓝灯笼咖啡馆", "藍燈籠咖啡館", "zh", "same_distinctive"),
        ("The Grand Hotel", "The Grand Hotel", "en", "same"),
        ("Lantern Blue Harbour", "Blue Harbour Lantern", "en", "all_words"),
        ("Tamarind Harbour", "Tamarind Harbour Restaurant & Bar", "en", "same_words"),
        ("Tamarind Harbuor", "Tamarind Harbour", "en", "nearly_same"),
        ("Pier 9 Exhibition Hall", "Pier 8 Exhibition Hall", "en", "another_number"),
        ("Phuket Nawamin", "Bhuket Nawamin", "en", "nearly_same"),
        ("Coral Ballroom", "Assembly Pavilion", "en", "differ"),
    ],
)
def test_names_are_compared_by_what_tells_them_apart(one: str, other: str, lang: str, level: str) -> None:
    assert _level("names", _record(("name", one, lang)), _record(("name", other, lang))) == level


def test_a_thai_name_and_its_romanisation_sound_the_same() -> None:
    thai, latin = _record(("name", "ภูเก็ตพัฒนา", "th")), _record(("name", "Bhuket Phatthana", "en"))
    assert _level("names", thai, latin) is None
    assert _level("names_across_scripts", thai, latin) == "sound_the_same"
    assert sounds("ภูเก็ต") == sounds("phuket") == sounds("bhuket")


def test_what_only_says_what_kind_of_thing_it_is_weighs_little() -> None:
    assert words_of("โรงแรมแหลมทอง") == ("โรงแรม", "แหลมทอง")
    assert words_of("蓝湾酒店") == ("蓝", "湾", "酒店")
    assert [word in GENERIC_WORDS for word in ("hotel", "โรงแรม", "酒店", "lantern")] == [True, True, True, False]
    one, other = _record(("name", "Lantern Hotel", "en")), _record(("name", "Harbour Hotel", "en"))
    assert _level("names", one, other) == "differ"


def test_an_address_is_its_number_and_the_words_of_its_street() -> None:
    assert (house_numbers("12/3 Thawi Rd."), street_words("12/3 Thawi Rd.")) == (("12/3",), ("thawi",))
    assert street_words("43 W. 52nd St.") == ("52th",)
    assert street_words("99 ถ.เทพกระษัตรี") == street_words("99 ถนนเทพกระษัตรี")
    one, other = _record(("address", "12/3 Thawi Road", "en")), _record(("address", "12/3 Thawi Rd.", "en"))
    assert _level("address", one, other) == "same"
    assert _level("address", one, _record(("address", "14 Thawi Rd.", "en"))) == "another_number"
    assert _level("address", one, _record(("address", "12/3 Dibuk Lane", "en"))) == "different"


def test_a_telephone_number_is_the_same_however_it_is_written() -> None:
    assert {national_digits(each) for each in ("+6676555101", "076 555 101", "76-555-101")} == {"76555101"}
    one, other = _record(("telephone", "+6676555101", "")), _record(("telephone", "076 555 102", ""))
    assert _level("telephone", one, other) == "one_digit"


def test_a_page_where_anybody_has_one_is_no_site() -> None:
    assert site_and_page("https://www.hall.example/") == ("hall.example", "")
    assert site_and_page("https://m.facebook.com/hall") == ("", "facebook.com/hall")
    one, other = (_record(("url", f"https://facebook.com/{name}", "")) for name in ("one", "other"))
    assert _level("website", one, other) == "different"


def test_a_bus_stop_is_placed_more_exactly_than_a_district() -> None:
    here, there = ("geo", "7.8000,98.3000", ""), ("geo", "7.8060,98.3000", "")
    assert _level("distance", _record(here, type_="BusStop"), _record(there, type_="BusStop")) == "apart"
    area = "AdministrativeArea"
    assert _level("distance", _record(here, type_=area), _record(there, type_=area)) == "same_spot"


@pytest.mark.parametrize(
    ("property_", "one", "other", "comparison", "level"),
    [
        ("birthDate", "1971-06-24", "1971-24-06", "birth_date", "day_month"),
        ("birthDate", "1971-06-24", "1971-05-24", "birth_date", "one_edit"),
        ("birthDate", "1971-06-24", "1985-11-02", "birth_date", "differ"),
        ("taxID", "5304218", "5302418", "number", "one_edit"),
        ("givenName", "Catherine", "Catherin", "given_name", "nearly_same"),
        ("familyName", "Meyer", "Maier", "family_name", "sound_the_same"),
    ],
)
def test_people_differ_by_typing_errors(property_: str, one: str, other: str, comparison: str, level: str) -> None:
    assert _level(comparison, _record((property_, one, "")), _record((property_, other, "")), PEOPLE) == level


def test_given_and_family_name_may_be_swapped() -> None:
    one = _record(("givenName", "Davies", ""), ("familyName", "George", ""))
    other = _record(("givenName", "George", ""), ("familyName", "Davies", ""))
    assert [_level(each, one, other, PEOPLE) for each in ("given_name", "family_name")] == ["swapped", "swapped"]


def test_records_of_one_thing_share_a_key_whatever_is_wrong_with_one() -> None:
    known = _record(
        ("name", "Tamarind Harbour House", "en"), ("telephone", "+6676555119", ""), ("address", "41 Krabi Road", "en")
    )
    for noisy in (
        _record(("name", "House Harbour Tamarind", "en")),
        _record(("name", "Taamarind Harbor House", "en")),
        _record(("name", "Other", "en"), ("telephone", "076 555 119", "")),
        _record(("name", "Other", "en"), ("address", "41 Krabi Rd.", "en")),
    ):
        assert set(blocking_keys(known)) & set(blocking_keys(noisy))
        assert set(bulk_keys(known)) & set(bulk_keys(noisy))
