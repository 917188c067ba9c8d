"""What a table's fields mean is proposed from names and values, with reasons; what is not sure stays unmapped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.mapping.choose import choose
from tenant_pipeline.core.mapping.definition import definition_digest, definition_of
from tenant_pipeline.core.mapping.mapping import mapping_of
from tenant_pipeline.core.mapping.proposal import FieldProposal, Proposal
from tenant_pipeline.core.mapping.propose import FLOOR, propose_for_table

CONTRACTS = load_contracts()
PHONE = "⟦PHONE_NUMBER:k1:0123456789abcdef0123456789abcdef⟧"
EMAIL = "⟦EMAIL_ADDRESS:k1:0123456789abcdef0123456789abcdef⟧"


def _proposed(**columns: list[str | None]) -> Proposal:
    return _table(list(columns), [list(row) for row in zip(*columns.values(), strict=True)])


def _table(fields: list[str], rows: list[list[str | None]], shape: str = "records") -> Proposal:
    return propose_for_table(CONTRACTS.mappings, CONTRACTS.vocabulary, fields, shape, "partner-doc", rows)


def _of(proposal: Proposal, field: str) -> FieldProposal:
    return next(each for each in proposal.fields if each.field == field)


@pytest.mark.parametrize(
    ("name", "property_", "lang"),
    [
        ("venue_name_th", "name", "th"),
        ("VenueNameEN", "name", "en"),
        ("场馆名称", "name", "zh"),
        ("ชื่อภาษาอังกฤษของสถานที่", "name", "en"),
        ("ชื่อโรงแรม", "name", "th"),
        ("HospitalName", "name", ""),
        ("ที่อยู่สถานที่", "address", ""),
        ("地址（中文）", "address", "zh"),
        ("联系电话号码", "telephone", ""),
        ("contact_tel_no", "telephone", ""),
        ("telephon", "telephone", ""),
        ("ที่อยู่อีเมล", "email", ""),
        ("hotel website", "url", ""),
        ("ความจุสูงสุด (คน)", "maximumAttendeeCapacity", ""),
        ("最大容纳人数", "maximumAttendeeCapacity", ""),
        ("วันที่เปิดให้บริการ", "openingDate", ""),
        ("organizer_name", "organizer", ""),
        ("GPS", "geo", ""),
    ],
)
def test_a_name_in_other_words_means_what_the_declared_one_means(name: str, property_: str, lang: str) -> None:
    (field,) = _table([name], []).fields
    assert (field.property, field.lang) == (property_, lang)
    assert field.reasons[0].startswith("by name")
    assert "the sample has no value to check it against" in field.reasons[1]


def test_an_official_code_of_an_area_becomes_a_reference_to_it() -> None:
    mapping = _proposed(**{"รหัสตำบล": ["830101", "830102"], "ที่อยู่": ["ก", "ข"]}).mapping
    assert mapping is not None
    rule = next(rule for rule in mapping.rules if rule.property == "containedInPlace")
    assert (rule.fields, rule.template) == (("รหัสตำบล",), "AdministrativeArea:identifier:{value}")


@pytest.mark.parametrize(
    "name", ["birth_date", "วันเกิด", "owner_name", "fax_phone", "พื้นที่จอดรถ", "ชื่อธนาคาร", "colour", "id"]
)
def test_a_name_that_means_something_else_stays_unmapped_and_says_so(name: str) -> None:
    (field,) = _table([name], [["2001-02-03"], ["2001-02-04"]]).fields
    assert field.property == ""
    assert "stays unmapped" in " ".join(field.reasons)


def test_values_tell_what_names_do_not() -> None:
    proposal = _proposed(
        a=[f"h{number}@hall.example" for number in range(9)] + [None],
        b=[f"https://h{number}.example/" for number in range(9)] + ["-"],
        c=[f"7.8{number},98.3{number}" for number in range(10)],
        d=[f"076 234 5{number}1" for number in range(10)],
        e=["2026-01-01"] * 10,
    )
    assert [each.property for each in proposal.fields] == ["email", "url", "geo", "telephone", ""]
    assert {each.property for each in proposal.fields[4].alternatives} == {"startDate", "openingDate"}
    assert proposal.fields[0].values == 9
    assert proposal.fields[0].share == 1.0
    assert "9 of 9 sampled values (100%) read as a e-mail address" in proposal.fields[0].reasons[1]


def test_digits_whose_field_speaks_of_something_else_are_no_telephone_numbers() -> None:
    proposal = _proposed(date_of_birth=["0812345678", "0823456789"], id=["81234567", "82345678"], name=["A", "B"])
    assert [each.property for each in proposal.fields] == ["", "", "name"]
    assert {each.property: each.confidence for each in proposal.fields[0].alternatives}["telephone"] == 0.45


def test_pseudonyms_are_known_by_their_type() -> None:
    proposal = _proposed(x=[PHONE] * 3, y=[EMAIL, f"{EMAIL} (office)", EMAIL], phone=[EMAIL] * 3)
    assert [each.property for each in proposal.fields] == ["telephone", "email", ""]
    assert {each.property: each.confidence for each in proposal.fields[2].alternatives} == {
        "email": 0.48,
        "telephone": 0.3,
    }


def test_a_name_whose_values_cannot_be_read_so_is_not_believed() -> None:
    field = _proposed(postcode=["red", "green", "blue"], name=["A", "B", "C"]).fields[0]
    assert field.property == ""
    assert "0 of 3 sampled values (0%) can be read as postalCode" in field.reasons[1]
    assert field.alternatives[0].property == "postalCode"


def test_a_name_column_full_of_numbers_is_not_a_name() -> None:
    field = _proposed(title=["1", "2", "3"], capacity=["10", "20", "30"]).fields[0]
    assert field.property == ""


def test_two_columns_for_one_property_are_settled_with_the_reason_told() -> None:
    proposal = _proposed(place=["ก", "ข"], venue_name_th=["โถงก", "โถงข"], name_th=["หอก", "หอข"], capacity=["1", "2"])
    assert (_of(proposal, "name_th").property, _of(proposal, "name_th").lang) == ("name", "th")
    assert _of(proposal, "venue_name_th").property == ""
    assert "name@th is taken by the field 'name_th', which is surer" in _of(proposal, "venue_name_th").reasons[-1]
    conflict = next(each for each in proposal.conflicts if each.kept in ("name_th", "place"))
    assert "venue_name_th" in conflict.given_up
    assert "greatest confidence" in conflict.reason


def test_two_telephones_are_two_rules_since_a_thing_may_have_several() -> None:
    proposal = _proposed(phone=[PHONE] * 2, tel_2=[PHONE] * 2)
    assert [each.property for each in proposal.fields] == ["telephone", "telephone"]
    assert proposal.conflicts == ()


def test_half_a_position_stays_unmapped() -> None:
    proposal = _proposed(name=["A"], lat=["7.88"])
    assert _of(proposal, "lat").property == ""
    assert "half of a position" in _of(proposal, "lat").reasons[-1]
    both = _proposed(name=["A"], lat=["7.88"], lng=["98.39"])
    assert both.mapping is not None
    assert [(rule.latitude, rule.longitude) for rule in both.mapping.rules if rule.property == "geo"] == [
        (("lat",), ("lng",))
    ]


def test_the_language_of_an_unnamed_one_is_that_of_nearly_all_values() -> None:
    assert _proposed(ชื่อ=["Hall One", "Hall Two"]).fields[0].lang == "en"
    assert _proposed(ชื่อ=["Hall One", "โถงสอง"]).fields[0].lang == ""
    assert _proposed(name_th=["Hall One", "Hall Two"]).fields[0].lang == "th"


def test_the_type_is_the_one_that_most_of_what_is_known_fits() -> None:
    assert _proposed(ชื่อโรงแรม=["ก"], ที่อยู่=["ข"]).type == "LodgingBusiness"
    assert _proposed(name=["A"], **{"start date": ["2026-01-01"], "end date": ["2026-01-02"]}).type == "Event"
    place = _proposed(name=["A"], address=["B"], capacity=["9"], postcode=["83000"], **{"start date": ["2026-01-01"]})
    assert place.type == "EventVenue"
    assert "which an EventVenue does not have" in " ".join(_of(place, "start date").reasons)


def test_an_official_number_that_names_each_record_is_the_key() -> None:
    one = _proposed(**{"licence no": ["A1", "A2"], "name": ["x", "y"]}).mapping
    twice = _proposed(**{"licence no": ["A1", "A1"], "name": ["x", "y"]}).mapping
    assert one is not None
    assert one.key == ("licence no",)
    assert twice is not None
    assert twice.key == ()


def test_a_table_of_which_nothing_is_sure_gets_no_mapping() -> None:
    proposal = _proposed(colour=["red"], shade=["dark"])
    assert proposal.mapping is None
    assert proposal.type == "CreativeWork"
    assert not proposal.declared


def test_a_table_that_somebody_declared_a_mapping_for_says_so() -> None:
    proposal = _table(["name", "startDate", "url", "city"], [])
    assert proposal.declared
    assert proposal.today == "conferences"


def test_of_fields_with_the_same_name_only_the_first_is_mapped() -> None:
    proposal = _table(["name", "NAME", "--"], [["A", "B", "C"]])
    assert [each.property for each in proposal.fields] == ["name", "", ""]
    assert "same name" in proposal.fields[1].reasons[-1]
    assert "no letter and no digit" in proposal.fields[2].reasons[-1]


def test_a_proposal_is_chosen_once_accepted_and_not_where_a_field_is_missing() -> None:
    fields = ["venue_title_th", "colour"]
    mapping = _table(fields, [["โถง", "red"]]).mapping
    assert mapping is not None
    rules = replace(CONTRACTS.mappings, accepted=(mapping,))
    assert choose(rules, [*fields, "more"], "records", "press").mapping is mapping
    assert choose(rules, fields[:1], "records", "press").mapping is not mapping
    assert choose(rules, fields, "segments", "press").mapping is not mapping


def test_a_definition_is_read_back_as_the_mapping_it_was_written_from() -> None:
    for mapping in CONTRACTS.mappings.mappings:
        assert mapping_of(definition_of(mapping)) == mapping
        assert definition_digest(replace(mapping, version="9.9.9")) == definition_digest(mapping)


NAMES = st.lists(
    st.sampled_from(
        ["name", "ชื่อ", "name_th", "phone", "场馆电话", "lat", "lng", "พิกัด", "email", "date", "x", "", "Name", "zip"]
    )
    | st.text(max_size=12),
    max_size=7,
)
CELLS = st.sampled_from(
    [None, "", "-", "โถง", "Hall", "厅", PHONE, EMAIL, "7.88", "98.3", "7.8,98.3", "2026-01-01", "83000"]
)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), fields=NAMES)
def test_every_proposal_keeps_its_promises(data: st.DataObject, fields: list[str]) -> None:
    rows = data.draw(
        st.lists(st.lists(CELLS | st.text(max_size=20), min_size=len(fields), max_size=len(fields)), max_size=5)
    )
    proposal = _table(fields, rows)
    assert [each.field for each in proposal.fields] == fields
    assert proposal == _table(fields, rows)
    mapped = [each for each in proposal.fields if each.property]
    assert all(FLOOR - 0.005 <= each.confidence <= 1 for each in mapped)
    assert all("unmapped" in " ".join(each.reasons) for each in proposal.fields if not each.property)
    single = [
        (each.property, each.lang)
        for each in mapped
        if each.property in ("latitude", "longitude") or not CONTRACTS.vocabulary.property(each.property).multi_valued
    ]
    assert len(single) == len(set(single))
    assert (proposal.mapping is None) == (not mapped)
    if proposal.mapping is not None:
        taken = {name for rule in proposal.mapping.rules for name in (*rule.fields, *rule.latitude, *rule.longitude)}
        assert taken == {each.field for each in mapped}


@settings(max_examples=60, deadline=None)
@given(secret=st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=12, max_size=12), copies=st.integers(1, 4))
def test_no_reason_quotes_a_value(secret: str, copies: int) -> None:
    proposal = _proposed(name=[secret] * copies, phone=[secret] * copies, colour=[secret] * copies)
    assert secret not in str(proposal.as_json())
