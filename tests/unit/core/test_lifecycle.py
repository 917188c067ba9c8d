"""The tenant's states, as the contract draws them."""

from __future__ import annotations

import itertools

import pytest

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.approval.operation import ApprovalGate, Operation
from tenant_pipeline.core.lifecycle import (
    FITTING,
    OUT_OF_SERVICE,
    StateForbidsError,
    TenantState,
    TransitionRefusedError,
    require_fitting,
    require_in_service,
    transition_between,
)


def test_the_way_forward_leads_through_the_three_gates_and_back_through_none() -> None:
    transitions = load_contracts().transitions
    way = [TenantState.DRAFT, TenantState.REVIEW, TenantState.PILOT, TenantState.LIVE]
    forward = [transition_between(transitions, now, to) for now, to in itertools.pairwise(way)]
    assert [each.gate for each in forward] == [
        ApprovalGate.REVIEW,
        ApprovalGate.TENANT_INSTANTIATE,
        ApprovalGate.GO_LIVE,
    ]
    for now, to in zip(way[1:], way, strict=False):
        back = transition_between(transitions, now, to)
        assert (back.gate, back.rolls_back) == (None, True)


@pytest.mark.parametrize(("now", "to"), [("draft", "live"), ("draft", "pilot"), ("archived", "live"), ("live", "live")])
def test_no_state_is_skipped_and_the_refusal_names_what_can_be_reached(now: str, to: str) -> None:
    with pytest.raises(TransitionRefusedError) as refused:
        transition_between(load_contracts().transitions, TenantState(now), TenantState(to))
    assert refused.value.remedy.startswith("From here it can reach ")


def test_every_tenant_but_a_live_one_can_be_archived_and_nothing_leads_out_of_that() -> None:
    transitions = load_contracts().transitions
    archived = TenantState.ARCHIVED
    ways = [each for each in transitions if each.to_state is archived]
    assert {each.from_state for each in ways} == set(TenantState) - {TenantState.LIVE, archived}
    assert not any(each.gate or each.rolls_back for each in ways)
    assert not any(each.from_state is archived for each in transitions)


def test_every_gate_has_a_rule_and_the_founder_is_asked_for_the_first_instance() -> None:
    rules = load_contracts().approval_rules
    assert set(rules) == set(ApprovalGate)
    assert [gate for gate, rule in rules.items() if rule.founder_at_first] == [ApprovalGate.TENANT_INSTANTIATE]
    assert [len(rules[gate].needs) for gate in ApprovalGate] == [1, 1, 2, 2, 2]


def test_a_state_allows_an_operation_or_refuses_it_with_what_leads_on() -> None:
    for operation, state in itertools.product(Operation, TenantState):
        if state in FITTING[operation]:
            require_fitting(operation, state, where="t")
            continue
        with pytest.raises(StateForbidsError, match=f"The tenant is {state}: no {operation} now") as refused:
            require_fitting(operation, state, where="t")
        assert refused.value.remedy


def test_out_of_service_nothing_is_done_but_to_return() -> None:
    for state in OUT_OF_SERVICE:
        with pytest.raises(StateForbidsError, match=state):
            require_in_service(state, where="t")
    assert {operation for operation in Operation if set(OUT_OF_SERVICE) & set(FITTING[operation])} == {
        Operation.LIFECYCLE
    }
