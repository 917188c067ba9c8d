"""A contract that is broken, newer than the code, or short of a label is refused with the place named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.approval.operation import ApprovalGate
from tenant_pipeline.core.coverage.dimensions import DIMENSIONS
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.pii.policy import action_for
from tenant_pipeline.pii.recognisers.registry import RECOGNISERS
from tests.unit.contracts.conftest import Edit


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts()


def test_the_eight_contracts_say_what_the_brief_left_open(contracts: Contracts) -> None:
    assert len(contracts.documents) == 8
    for document in contracts.documents.values():
        assert document["honest_note"]
        assert document["requires_human_review"] is True


def test_what_awaits_a_persons_review_is_told_with_its_note(edited: Edit) -> None:
    directory = edited("approval_matrix", lambda document: document.update(requires_human_review=False))
    awaiting = load_contracts(directory).awaiting_review
    assert len(awaiting) == 7
    assert "approval_matrix" not in awaiting
    assert awaiting["tenant_scope"].startswith("The brief fixes")


def test_a_folder_that_is_none_and_one_that_is_half_are_refused_with_their_place(edited: Edit) -> None:
    directory = edited("living_city", lambda document: None)
    (directory / "tenant_scope.json").unlink()
    with pytest.raises(ContractError, match="missing") as half:
        load_contracts(directory)
    assert half.value.where == str(directory / "tenant_scope.json")
    assert "all eight" in half.value.remedy
    with pytest.raises(ContractError, match="no such folder") as none:
        load_contracts(directory / "living_city.json")
    assert "tenant_scope.json" in none.value.remedy
    (directory / "tenant_scope.json").mkdir()
    with pytest.raises(ContractError, match="cannot be read"):
        load_contracts(directory)


def test_every_origin_has_a_tier_and_what_an_ai_said_has_the_last(contracts: Contracts) -> None:
    tiers = {origin: contracts.authority_tier(origin) for origin in Origin}
    assert tiers[Origin.REGULATOR] == 1
    ai = {Origin.CHATGPT, Origin.CLAUDE, Origin.GEMINI, Origin.PERPLEXITY}
    assert {tiers[origin] for origin in ai} == {5}
    assert all(tiers[origin] < 5 for origin in Origin if origin not in ai)


def test_the_five_approval_gates_name_roles_and_an_sla(contracts: Contracts) -> None:
    assert {gate.id for gate in contracts.review_gates} == {
        "gate-review",
        "gate-conflict-resolution",
        "gate-tenant-instantiate",
        "gate-marketplace",
        "gate-go-live",
    }
    assert all(gate.roles and gate.sla_hours > 0 for gate in contracts.review_gates)


def test_who_may_sign_at_a_gate_is_said_once(contracts: Contracts) -> None:
    assert contracts.roles_at(ApprovalGate.CONFLICT_RESOLUTION) == ("reviewer", "platform-governance")
    for gate, rule in contracts.approval_rules.items():
        assert frozenset().union(*rule.needs) == frozenset(contracts.roles_at(gate))
    two = contracts.approval_rules[ApprovalGate.GO_LIVE].needs
    assert two == (frozenset({"tenant-admin"}), frozenset({"platform-governance"}))


@pytest.mark.parametrize(
    ("name", "place", "change"),
    [
        ("approval_matrix", ("rows", 1), {"approvers": ["reviewer"]}),
        ("enterprise_intake", ("review_gates", 1), {"roles": ["reviewer"]}),
        ("approval_matrix", ("rows", 4), {"distinct_people": 1}),
        ("enterprise_intake", ("review_gates", 0), {"dual": True}),
    ],
)
def test_two_contracts_that_disagree_on_who_signs_are_refused(
    edited: Edit, name: str, place: tuple[str, int], change: dict[str, Any]
) -> None:
    directory = edited(name, lambda document: document[place[0]][place[1]].update(change))
    with pytest.raises(ContractError, match=r"The contracts disagree on who signs at gate-") as refused:
        load_contracts(directory)
    assert refused.value.where.startswith("approval_matrix.json#/rows (row-")
    assert "enterprise_intake.json#/review_gates" in refused.value.remedy


def test_a_gate_has_one_row_of_the_matrix_and_known_roles(edited: Edit) -> None:
    def twice(document: Any) -> None:
        document["rows"].append({**document["rows"][0], "id": "row-again"})

    with pytest.raises(ContractError, match="gate-review has 2 rows"):
        load_contracts(edited("approval_matrix", twice))
    with pytest.raises(ContractError, match="gate-go-live has 0 rows"):
        load_contracts(edited("approval_matrix", lambda document: document["rows"].pop()))
    with pytest.raises(ContractError, match="no role of a tenant: mayor"):
        load_contracts(edited("approval_matrix", lambda document: document["rows"][0].update(approvers=["mayor"])))


def test_a_field_that_stands_twice_is_refused_by_name(edited: Edit) -> None:
    directory = edited("enterprise_intake", lambda document: None)
    file = directory / "enterprise_intake.json"
    file.write_text(file.read_text().replace('"TH_TAX_ID":', '"TH_TAX_ID": "mask", "TH_TAX_ID":', 1))
    with pytest.raises(ContractError, match="has the field TH_TAX_ID twice") as refused:
        load_contracts(directory)
    assert refused.value.where == "enterprise_intake.json"
    assert refused.value.remedy


def test_every_dimension_of_the_contract_is_one_that_the_code_measures(contracts: Contracts) -> None:
    assert [dimension.id for dimension in contracts.coverage_dimensions] == list(DIMENSIONS)


def test_every_type_of_personal_data_that_is_recognised_has_an_action(contracts: Contracts) -> None:
    for recogniser in RECOGNISERS:
        assert recogniser.entity in contracts.pii_policy.actions
        action_for(contracts.pii_policy, recogniser.entity)


def test_labels_are_there_in_three_languages(contracts: Contracts) -> None:
    assert contracts.label("source_origins", "press", "th") == "ข่าวประชาสัมพันธ์"
    assert contracts.label("workspace_panels", "panel-upload", "zh") == "上传"
    with pytest.raises(ContractError):
        contracts.label("source_origins", "press", "fr")


def test_a_missing_label_is_refused_with_its_place(edited: Edit) -> None:
    directory = edited("tenant_scope", lambda document: document["states"][0]["label"].update(zh=" "))
    with pytest.raises(ContractError) as refused:
        load_contracts(directory)
    assert refused.value.where == "tenant_scope.json#/states/0/label/zh"


def test_a_newer_contract_is_refused(edited: Edit) -> None:
    directory = edited("living_city", lambda document: document.update(schema_version="1.1.0"))
    with pytest.raises(ContractError, match="newer") as refused:
        load_contracts(directory)
    assert refused.value.where == "living_city.json#/schema_version"
    assert refused.value.remedy


def test_a_broken_contract_is_refused_with_its_place(edited: Edit) -> None:
    def spoil(document: Any) -> None:
        document["coverage_scoring"]["dimensions"][2]["pass_at"] = 7

    with pytest.raises(ContractError) as refused:
        load_contracts(edited("enterprise_intake", spoil))
    assert refused.value.where == "enterprise_intake.json#/coverage_scoring/dimensions/2/pass_at"


def test_text_that_is_no_json_is_refused_with_its_line(edited: Edit) -> None:
    directory = edited("living_city", lambda document: None)
    (directory / "living_city.json").write_text('{\n"schema_version": \n')
    with pytest.raises(ContractError, match="not JSON") as refused:
        load_contracts(directory)
    assert "living_city.json line 3" in refused.value.where


def test_a_mapping_to_an_unknown_property_is_refused(edited: Edit) -> None:
    def spoil(document: Any) -> None:
        document["mappings"][0]["rules"][0]["property"] = "colour"

    with pytest.raises(ContractError, match="no property colour"):
        load_contracts(edited("source_mapping_engine", spoil))


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("rules/1/property", lambda mapping: mapping["rules"][1].update(property="startDate")),
        ("constants/startDate", lambda mapping: mapping["constants"].update(startDate="2026-11-01")),
    ],
)
def test_a_mapping_that_says_what_its_type_does_not_have_is_refused_with_its_place(
    edited: Edit, place: str, change: Callable[[Any], None]
) -> None:
    directory = edited("source_mapping_engine", lambda document: change(document["mappings"][0]))
    with pytest.raises(ContractError, match="does not have: startDate") as refused:
        load_contracts(directory)
    assert refused.value.where == f"source_mapping_engine.json#/mappings/0/{place}"
    assert "living_city.json" in refused.value.remedy


def test_an_origin_that_the_code_does_not_know_is_refused(edited: Edit) -> None:
    def spoil(document: Any) -> None:
        document["source_origins"][0]["id"] = "rumour"

    with pytest.raises(ContractError, match="origins"):
        load_contracts(edited("enterprise_intake", spoil))
