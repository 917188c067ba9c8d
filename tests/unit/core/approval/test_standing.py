"""When the approvals of a request suffice, and what undoes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.approval.operation import ApprovalGate, Operation, digest_of_operation
from tenant_pipeline.core.approval.signature import SignedDecision, bytes_to_sign
from tenant_pipeline.core.approval.standing import (
    ApprovalDecision,
    ApprovalRequest,
    Need,
    RequestState,
    roles_of,
    standing,
)
from tenant_pipeline.core.digest import Sha256

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ADMIN, GOVERNANCE, FOUNDER = (frozenset({role}) for role in ("tenant-admin", "platform-governance", "founder"))
DUAL_AND_FOUNDER = (ADMIN, GOVERNANCE, FOUNDER)


def asked(*needs: Need) -> ApprovalRequest:
    return ApprovalRequest(
        "r", ApprovalGate.TENANT_INSTANTIATE, Sha256("a" * 64), needs, "requester", NOW - timedelta(days=1),
        NOW + timedelta(days=1), NOW + timedelta(days=30),
    )  # fmt: skip


def word(
    person: str, role: str, *, approves: bool = True, revoked: bool = False, of: str | None = None
) -> ApprovalDecision:
    return ApprovalDecision(f"{person}-{role}", person, role, approves, NOW, revoked, of)


ALL = (word("ann", "tenant-admin"), word("bo", "platform-governance"), word("cy", "founder"))


def test_two_people_in_the_two_roles_and_the_founder_open_the_gate() -> None:
    found = standing(asked(*DUAL_AND_FOUNDER), ALL, now=NOW)
    assert (found.state, found.missing, found.breached) == (RequestState.APPROVED, (), False)
    assert {each.approver for each in found.met_by} == {"ann", "bo", "cy"}


def test_each_missing_word_keeps_it_closed_and_is_named() -> None:
    for left_out, need in zip(ALL, DUAL_AND_FOUNDER, strict=True):
        found = standing(asked(*DUAL_AND_FOUNDER), [each for each in ALL if each is not left_out], now=NOW)
        assert (found.state, found.missing) == (RequestState.WAITING, (need,))


def test_one_person_in_two_roles_is_one_person() -> None:
    found = standing(
        asked(ADMIN, GOVERNANCE), [word("ann", "tenant-admin"), word("ann", "platform-governance")], now=NOW
    )
    assert found.state is RequestState.WAITING


def test_one_person_counts_once_whoever_speaks_for_them() -> None:
    for words in (
        [word("dee", "tenant-admin", of="ann"), word("ed", "platform-governance", of="ann")],
        [word("ann", "tenant-admin"), word("ed", "platform-governance", of="ann")],
    ):
        assert standing(asked(ADMIN, GOVERNANCE), words, now=NOW).state is RequestState.WAITING


def test_nobody_approves_for_the_requester() -> None:
    words = [word("dee", "tenant-admin", of="requester"), word("bo", "platform-governance")]
    assert standing(asked(ADMIN, GOVERNANCE), words, now=NOW).state is RequestState.WAITING


def test_the_requester_never_approves_and_cannot_reject_either() -> None:
    assert standing(asked(ADMIN), [word("requester", "tenant-admin")], now=NOW).state is RequestState.WAITING
    assert standing(asked(ADMIN), [word(" Requester", "tenant-admin")], now=NOW).state is RequestState.WAITING
    own = [word("requester", "tenant-admin", approves=False)]
    assert standing(asked(ADMIN), own, now=NOW).state is RequestState.WAITING


def test_a_rejection_a_revocation_time_and_use_each_close_it() -> None:
    request = asked(*DUAL_AND_FOUNDER)
    rejected = (*ALL, word("di", "founder", approves=False))
    assert standing(request, rejected, now=NOW).state is RequestState.REJECTED
    revoked = (*ALL[:2], word("cy", "founder", revoked=True))
    assert standing(request, revoked, now=NOW).missing == (FOUNDER,)
    assert standing(request, ALL, now=request.expires_at).state is RequestState.EXPIRED
    assert standing(request, ALL, now=NOW, withdrawn=True).state is RequestState.WITHDRAWN
    assert standing(request, ALL, now=request.expires_at, used=True).state is RequestState.USED


def test_time_that_passes_breaches_and_never_approves() -> None:
    request = asked(ADMIN)
    found = standing(request, [], now=request.due_at + timedelta(seconds=1))
    assert (found.state, found.breached) == (RequestState.WAITING, True)


PEOPLE = st.sampled_from(["ann", "bo", "cy", "di"])
ROLES = st.sampled_from(["tenant-admin", "platform-governance", "founder", "reviewer"])
NEEDS = st.lists(st.frozensets(ROLES, min_size=1), min_size=1, max_size=3).map(tuple)


@given(NEEDS, st.lists(st.tuples(PEOPLE, ROLES), unique_by=lambda pair: pair[0]))
def test_no_order_of_words_matters_and_needs_met_and_missing_are_all_needs(
    needs: tuple[Need, ...], said: list[tuple[str, str]]
) -> None:
    words = [word(person, role) for person, role in said]
    found = standing(asked(*needs), words, now=NOW)
    assert len(found.met_by) + len(found.missing) == len(needs)
    assert standing(asked(*needs), words[::-1], now=NOW).state is found.state
    assert len({each.approver for each in found.met_by}) == len(found.met_by)
    if found.state is RequestState.APPROVED:
        assert all(any(each.role in need for each in found.met_by) for need in needs)
    assert set(roles_of(found.missing)) <= set(roles_of(needs))


def test_overlapping_needs_are_met_whichever_way_round_the_words_fall() -> None:
    either, admin = frozenset({"tenant-admin", "reviewer"}), frozenset({"tenant-admin"})
    words = [word("ann", "tenant-admin"), word("bo", "reviewer")]
    assert standing(asked(either, admin), words, now=NOW).state is RequestState.APPROVED


def test_another_tenants_or_operations_approval_never_fits() -> None:
    content = {"release": "b" * 64}
    digests = {digest_of_operation(tenant, operation, content) for tenant in ("a", "b") for operation in Operation}
    assert len(digests) == 2 * len(Operation)


def test_what_is_signed_says_every_word_of_the_decision() -> None:
    decision = SignedDecision("t", "r", "gate-review", Sha256("a" * 64), "ann", "reviewer", "approve", "Seen")
    signed = bytes_to_sign(decision)
    assert signed.startswith(b"tenant-runtime/approval/v1\n")
    for name in vars(decision):
        other = SignedDecision(**{**vars(decision), name: "x"})
        assert bytes_to_sign(other) != signed, name
