"""What holds for a field: the contract by type and by field, and what the tenant has declared."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.contract_terms import PiiFieldRule, PiiPolicy
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.tables import TableDescriptor
from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.declarations import Declaration, DeclaredClass, FieldMeaning
from tenant_pipeline.pii.field_phrases import field_phrases
from tenant_pipeline.pii.field_policy import FieldPolicy
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.pii.screen import screen
from tenant_pipeline.pii.special_categories import SpecialCategory
from tests.unit.pii.memory_stage import MemoryStage, digest_key, pii_policy, records_stage
from tests.unit.pii.screening import run, values

CONTRACT = load_contracts().pii_policy
DECLARED = DeclaredClass


def rule(*, words: tuple[str, ...] = (), properties: tuple[str, ...] = (), types: tuple[str, ...] = (),
         holds: str = "", action: str = "hash") -> PiiFieldRule:  # fmt: skip
    return PiiFieldRule("rule", words, properties, types, holds, action)


def declared(stage: MemoryStage, analyzer: PiiAnalyzer, *declarations: Declaration,
             meanings: Mapping[int, FieldMeaning] | None = None,
             policy: PiiPolicy | None = None) -> MemoryStage:  # fmt: skip
    out = MemoryStage()
    screen(stage, out, policy=policy or pii_policy(), key=digest_key(), analyzer=analyzer, agreement_in_place=True,
           declarations=declarations, meanings=lambda descriptor: meanings or {})  # fmt: skip
    return out


def test_a_rule_for_a_field_goes_before_the_rule_for_the_type_and_only_there(analyzer: PiiAnalyzer) -> None:
    policy = pii_policy(fields=(rule(words=("fax", "แฟกซ์"), types=("PHONE_NUMBER",), action="mask"),))
    stage = records_stage({"officeFax": ["โทร 081-234-5678 a@b.co"], "tel": ["081-234-5678"]})
    out, _, _ = run(analyzer, stage, policy)
    (fax,), (tel,) = values(out), values(out, "f0001")
    assert str(fax).startswith("โทร ⟦PHONE_NUMBER⟧ ⟦EMAIL_ADDRESS:")
    assert str(tel).startswith("⟦PHONE_NUMBER:")


def test_a_rule_can_say_that_every_value_of_a_field_is_personal(analyzer: PiiAnalyzer) -> None:
    stage = records_stage({"Date of Birth": ["1990-01-02", "1990-01-02", "2001-05-06"], "วันเกิดเหตุ": ["2020-01-01"] * 3})
    out, _, verdict = run(analyzer, stage, pii_policy(fields=CONTRACT.fields))
    born = [str(value) for value in values(out)]
    assert all(value.startswith("⟦DATE_OF_BIRTH:k1:") for value in born)
    assert born[0] == born[1] != born[2]
    assert values(out, "f0001") == ["2020-01-01"] * 3
    assert [(each["entity_type"], each["count"]) for each in verdict.findings] == [("DATE_OF_BIRTH", 3)]


def test_a_rule_can_go_by_the_property_that_a_field_is_mapped_to(analyzer: PiiAnalyzer) -> None:
    policy = pii_policy(fields=(rule(properties=("contactPoint",), types=("PHONE_NUMBER",), action="drop"),))
    stage = records_stage({"a": ["081-234-5678"], "b": ["081-234-5678"]})
    meanings = {0: FieldMeaning("contactPoint", ("Place", "Thing"))}
    out = declared(stage, analyzer, meanings=meanings, policy=policy)
    assert values(out) == [None]
    assert str(values(out, "f0001")[0]).startswith("⟦PHONE_NUMBER:")


def contact(**changed: object) -> Declaration:
    given_: dict[str, object] = {"id": "dcl-1", "declared": DECLARED.BUSINESS_CONTACT, "signed": True, "field": "tel",
                                 "entity_types": ("PHONE_NUMBER",), **changed}  # fmt: skip
    return Declaration(**given_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "passes"),
    [
        ({}, True),
        ({"signed": False}, False),
        ({"field": "TEL."}, True),
        ({"field": "other"}, False),
        ({"table": "list"}, True),
        ({"table": "t00001"}, True),
        ({"table": "guests"}, False),
        ({"entity_types": ("EMAIL_ADDRESS",)}, False),
        ({"field": "", "property": "telephone"}, True),
        ({"field": "", "property": "email"}, False),
    ],
)
def test_a_business_contact_passes_where_it_is_signed_for_this_field_and_type(
    analyzer: PiiAnalyzer, changed: dict[str, object], passes: bool
) -> None:
    meanings = {0: FieldMeaning("telephone", ("EventVenue", "Place", "Thing"))}
    out = declared(records_stage({"tel": ["081-234-5678"]}), analyzer, contact(**changed), meanings=meanings)
    assert (values(out) == ["081-234-5678"]) is passes


def test_the_telephone_of_what_is_no_place_or_organisation_is_no_business_contact(analyzer: PiiAnalyzer) -> None:
    meanings = {0: FieldMeaning("telephone", ("Person", "Thing"))}
    stage = records_stage({"tel": ["081-234-5678"]})
    out = declared(stage, analyzer, contact(field="", property="telephone"), meanings=meanings)
    assert values(out) != ["081-234-5678"]


def test_a_name_or_a_document_in_a_field_of_business_contacts_is_still_replaced(analyzer: PiiAnalyzer) -> None:
    stage = records_stage({"tel": ["081-234-5678 คุณสมชาย ใจดี"]})
    out = declared(stage, analyzer, contact(entity_types=("PHONE_NUMBER", "PERSON")))
    (value,) = values(out)
    assert str(value).startswith("081-234-5678 คุณ⟦PERSON:")


def test_findings_under_a_declaration_still_need_the_agreement(analyzer: PiiAnalyzer) -> None:
    out = MemoryStage()
    _, verdict = screen(
        records_stage({"tel": ["081-234-5678"]}), out, policy=pii_policy(), key=digest_key(), analyzer=analyzer,
        agreement_in_place=False, declarations=(contact(),),
    )  # fmt: skip
    assert verdict.band is Band.FAIL
    assert "Left as it is under the signed declaration dcl-1: 1 PHONE_NUMBER." in verdict.reasons


actions = st.sampled_from(list(Action))
of_phones = st.builds(
    Declaration, id=st.text(max_size=3), declared=st.just(DECLARED.ACTION), signed=st.booleans(),
    entity_types=st.just(("PHONE_NUMBER",)), action=actions,
)  # fmt: skip


@given(contract=actions, declarations=st.lists(of_phones, max_size=5).map(tuple))
def test_without_a_signature_nothing_is_looser_than_the_contract(
    contract: Action, declarations: tuple[Declaration, ...]
) -> None:
    policy = pii_policy(actions={"PHONE_NUMBER": str(contract)})
    unsigned = tuple(each for each in declarations if not each.signed)
    assert FieldPolicy(policy, (), unsigned).ruling("PHONE_NUMBER").action.strictness >= contract.strictness
    ruled = FieldPolicy(policy, (), declarations).ruling("PHONE_NUMBER")
    assert all(ruled.action.strictness >= each.action.strictness for each in declarations if each.action)


@given(declarations=st.lists(of_phones, min_size=1, max_size=5))
def test_the_order_of_declarations_does_not_matter(declarations: list[Declaration]) -> None:
    policy = pii_policy()
    forwards = FieldPolicy(policy, (), tuple(declarations)).ruling("PHONE_NUMBER").action
    assert FieldPolicy(policy, (), tuple(reversed(declarations))).ruling("PHONE_NUMBER").action is forwards


@pytest.mark.parametrize(
    ("phrase", "fits", "fits_not"),
    [
        ("date of birth", ["dateOfBirth", "guest.date_of_birth", "DATE OF BIRTH (AD)"], ["date", "birth of date"]),
        ("วันเกิด", ["วันเกิด", "วันเกิด_พ.ศ."], ["วันเกิดเหตุ"]),
        ("วันเกิด*", ["วันเกิดลูกค้า"], ["บันทึกวันเกิด"]),
        ("*姓名", ["客户姓名", "姓名"], ["姓名拼音"]),
    ],
)
def test_phrases_fit_whole_words(phrase: str, fits: list[str], fits_not: list[str]) -> None:
    phrases = field_phrases([phrase])
    assert [name for name in fits if not phrases.found_in(name)] == []
    assert [name for name in fits_not if phrases.found_in(name)] == []


PERSONAL_IDS = ["3-1006-00445-63-5", "Buddhist"]
WITHHOLDING = pii_policy(actions={"TH_NATIONAL_ID": "quarantine"})


def categorised(*, signed: bool) -> Declaration:
    return Declaration("dcl-2", DECLARED.SPECIAL_CATEGORY, signed, field="citizen_id", category=SpecialCategory.HEALTH)


@pytest.mark.parametrize(
    ("declarations", "withheld"),
    [((), 1), ((categorised(signed=False),), 1), ((categorised(signed=True),), 0)],
)
def test_only_a_signed_category_lets_a_record_pass_that_its_field_would_withhold(
    analyzer: PiiAnalyzer, declarations: tuple[Declaration, ...], withheld: int
) -> None:
    out = declared(records_stage({"citizen_id": PERSONAL_IDS}), analyzer, *declarations, policy=WITHHOLDING)
    assert [reject["code"] for reject in out.rejects] == ["pii-th-national-id"] * withheld
    assert "3-1006-00445-63-5" not in out.everything()
    if declarations:
        assert values(out) == [None] * (2 - withheld)


@pytest.mark.parametrize(
    ("columns", "left"),
    [
        ({"religion": PERSONAL_IDS, "surname": ["a", "b"]}, [None]),
        ({"home address": PERSONAL_IDS, "surname": ["a", "b"]}, ["HOME_ADDRESS"]),
    ],
)
def test_what_a_field_is_as_a_whole_makes_nothing_looser(
    analyzer: PiiAnalyzer, columns: dict[str, list[str | None]], left: list[str | None]
) -> None:
    policy = pii_policy(actions=WITHHOLDING.actions, fields=CONTRACT.fields, quarantined_share_fail=0.5)
    out, count, verdict = run(analyzer, records_stage(columns), policy)
    assert [reject["code"] for reject in out.rejects] == ["pii-th-national-id"]
    assert [value and str(value).split(":")[0][1:] for value in values(out)] == left
    assert count.quarantined == 1
    assert ("TH_NATIONAL_ID", 1) in [(each["entity_type"], each["count"]) for each in verdict.findings]


def test_what_is_stricter_than_the_whole_field_masks_or_empties_its_value(analyzer: PiiAnalyzer) -> None:
    policy = pii_policy(actions={"PHONE_NUMBER": "mask", "EMAIL_ADDRESS": "drop"}, fields=CONTRACT.fields)
    lived = ["1 Soi 5", "2 Soi 5, 081-234-5678", "3 Soi 5, a@example.com, 081-234-5678"]
    out, _, _ = run(analyzer, records_stage({"home address": lived}), policy)
    first, *others = values(out)
    assert str(first).startswith("⟦HOME_ADDRESS:k1:")
    assert others == ["⟦HOME_ADDRESS⟧", None]


def test_a_declaration_without_a_field_is_about_every_field() -> None:
    assert Declaration("x", DECLARED.ACTION, False).is_about(TableDescriptor("t", "records"), "anything", None)
