"""A contract that says of the code what it does not do is refused with its place; what the code obeys may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenant_pipeline.contracts.loader import CONTRACTS, load_contracts
from tenant_pipeline.core.approval.operation import GATES, PUBLISHING, Operation
from tenant_pipeline.core.conflict.order import HUMAN_PIN, ORDER
from tenant_pipeline.core.conflict.resolution import RANKING
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, COVERAGE_SCORE, code_version
from tests.unit.contracts.conftest import Edit

STEPS = (*STAGES, CONFLICT_MATRIX, COVERAGE_SCORE)


def put(*path: Any) -> Callable[[Any], None]:
    """Set the last of `path` at the place that the rest of it leads to."""
    *way, last, value = path

    def change(document: Any) -> None:
        for step in way:
            document = document[step]
        document[last] = value

    return change


def way(**fields: Any) -> Callable[[Any], None]:
    """One more way between the states of a tenant."""
    return lambda document: document["scope_transitions"].append({"gate": None, "rollback": False, **fields})


@pytest.mark.parametrize(
    ("name", "place", "change"),
    [
        ("publish_workflow", "/stages", put("stages", 1, "gate", "gate-nonsense")),
        ("publish_workflow", "/stages", put("stages", 2, "gate", None)),
        ("publish_workflow", "/stages", lambda document: document["stages"].pop()),
        ("publish_workflow", "/rollback/gate", put("rollback", "gate", "gate-review")),
        ("publish_workflow", "/rollback/history", put("rollback", "history", "kept for a year")),
        ("publish_workflow", "/blocked_until", put("blocked_until", "coverage", "fail")),
        ("publish_workflow", "/blocked_until", put("blocked_until", {})),
        ("enterprise_intake", "/conflict_resolution/order", put("conflict_resolution", "order", ["recency"])),
        (
            "enterprise_intake", "/conflict_resolution/tier_one_proposes",
            put("conflict_resolution", "tier_one_proposes", False),
        ),
        (
            "enterprise_intake", "/conflict_resolution/sign_off_gate",
            put("conflict_resolution", "sign_off_gate", "gate-review"),
        ),
        ("enterprise_intake", "/coverage_scoring/overrides", put("coverage_scoring", "overrides", "require", [])),
        (
            "enterprise_intake", "/coverage_scoring/dimensions/2/formula",
            put("coverage_scoring", "dimensions", 2, "formula", "what we like"),
        ),
        ("enterprise_intake", "/tenant_ownership/isolation", put("tenant_ownership", "isolation", ["trust"])),
        (
            "enterprise_intake", "/shareability_and_resellability/resell_flag_default",
            put("shareability_and_resellability", "resell_flag_default", True),
        ),
        ("enterprise_intake", "/source_origins/0/authority_tier", put("source_origins", 0, "authority_tier", 5)),
        ("enterprise_intake", "/source_origins/8/authority_tier", put("source_origins", 8, "authority_tier", 1)),
        ("enterprise_intake", "/coverage_scoring/dimensions/0/warn_at",
         put("coverage_scoring", "dimensions", 0, "warn_at", 1)),
        ("enterprise_intake", "/quality_gate/warn_share", put("quality_gate", "warn_share", 0.9)),
        ("multi_source_intake", "/stages/3/stopped_by", put("stages", 3, "stopped_by", [])),
        ("approval_matrix", "/rules", put("rules", [])),
        ("approval_matrix", "/rows (row-tenant-instantiate-nerve)", put("rows", 2, "founder_for_first_pilot", False)),
        ("approval_matrix", "/never_delegated", put("never_delegated", ["mayor"])),
        ("hybrid_intake_workspace", "/collaboration", put("collaboration", "transport", "e-mail")),
        ("hybrid_intake_workspace", "/workspace_panels", put("workspace_panels", 0, "id", "panel-chat")),
        ("hybrid_intake_workspace", "/state_model/write_roles",
         put("state_model", "write_roles", "upload.notes", ["mayor"])),
        ("tenant_scope", "/app_registry_handoff", put("app_registry_handoff", {})),
        ("tenant_scope", "/feature_flag_handoff", put("feature_flag_handoff", {})),
        ("tenant_scope", "/tenant_roles", lambda document: document["tenant_roles"].pop()),
        ("tenant_scope", "/scope_transitions/0/gate", put("scope_transitions", 0, "gate", "gate-go-live")),
        ("tenant_scope", "/scope_transitions/1/gate", put("scope_transitions", 1, "gate", None)),
        ("tenant_scope", "/scope_transitions/3/rollback", put("scope_transitions", 3, "rollback", False)),
        ("living_city", "/properties/0/datatype", put("properties", 0, "datatype", "colour")),
        ("source_mapping_engine", "/mappings/0/origins", put("mappings", 0, "origins", ["rumour"])),
    ],
)  # fmt: skip
def test_what_the_code_does_otherwise_is_refused_with_its_place(
    edited: Edit, name: str, place: str, change: Callable[[Any], None]
) -> None:
    with pytest.raises(ContractError) as refused:
        load_contracts(edited(name, change))
    assert refused.value.where == f"{name}.json#{place}"
    assert refused.value.remedy


@pytest.mark.parametrize(("now", "to"), [("draft", "live"), ("archived", "suspended"), ("suspended", "review")])
def test_no_contract_takes_a_tenant_forward_without_approvals(edited: Edit, now: str, to: str) -> None:
    with pytest.raises(ContractError, match=f"no tenant from {now} to {to}") as refused:
        load_contracts(edited("tenant_scope", way(**{"from": now, "to": to})))
    assert refused.value.where.startswith("tenant_scope.json#/scope_transitions/")


def test_a_way_back_that_the_package_has_not_may_be_added(edited: Edit) -> None:
    contracts = load_contracts(edited("tenant_scope", way(**{"from": "pilot", "to": "suspended"})))
    assert ("pilot", "suspended") in {(each.from_state, each.to_state) for each in contracts.transitions}


def test_a_release_passes_every_gate_that_publishing_names() -> None:
    assert {gate for gate in PUBLISHING.values() if gate} < set(GATES[Operation.RELEASE])


def test_the_order_of_resolution_is_the_one_in_which_the_rules_are_asked() -> None:
    assert (HUMAN_PIN, *RANKING) == ORDER


def changed_steps(edited: Edit, name: str, change: Callable[[Any], None]) -> set[str]:
    ours, others = load_contracts(), load_contracts(edited(name, change))
    return {str(step) for step in STEPS if code_version(step, ours) != code_version(step, others)}


def test_what_a_contract_decides_is_made_again_when_it_changes_and_nothing_before_it(edited: Edit) -> None:
    tier = changed_steps(edited, "enterprise_intake", put("source_origins", 7, "authority_tier", 4))
    assert tier == {CONFLICT_MATRIX}
    passes = put("coverage_scoring", "dimensions", 0, "pass_at", 0.7)
    assert changed_steps(edited, "enterprise_intake", passes) == {COVERAGE_SCORE}
    action = put("pii_policy", "actions", "LINE_ID", "mask")
    assert changed_steps(edited, "enterprise_intake", action) == {Stage.SCREEN}
    assert changed_steps(edited, "enterprise_intake", put("quality_gate", "fail_share", 0.3)) == {Stage.VALIDATE}
    synonym = changed_steps(edited, "source_mapping_engine", put("synonyms", 0, "fields", 0, "permit"))
    assert synonym == {Stage.SCREEN, Stage.MAP}
    unit = changed_steps(edited, "living_city", put("properties", 0, "identifying", True))
    assert {Stage.MAP, Stage.LINK, CONFLICT_MATRIX, COVERAGE_SCORE} < unit


def test_confirming_a_contract_or_an_sla_runs_nothing_again(edited: Edit) -> None:
    for name in CONTRACTS:
        assert not changed_steps(edited, name, put("requires_human_review", False))
    assert not changed_steps(edited, "enterprise_intake", put("honest_note", "Confirmed by governance."))
    assert not changed_steps(edited, "enterprise_intake", put("review_gates", 0, "sla_hours", 8))
    assert not changed_steps(edited, "enterprise_intake", put("source_origins", 0, "label", "en", "The founder"))


def test_what_the_code_obeys_may_change(edited: Edit) -> None:
    contracts = load_contracts(edited("enterprise_intake", put("source_origins", 7, "authority_tier", 4)))
    assert contracts.authority_tier(Origin.PRESS) == 4
    assert contracts.digest != load_contracts().digest
