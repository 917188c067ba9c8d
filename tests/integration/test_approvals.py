"""Approvals: bound to a digest, given by the right people, taken back, escalated, and used once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenant_pipeline.core.approval.operation import Operation, digest_of_operation
from tenant_pipeline.core.approval.signature import SignedDecision, bytes_to_sign
from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.approvals import handing_over, person_keys, queue
from tenant_pipeline.services.approvals.line import operations_in_line
from tenant_pipeline.services.approvals.records import RecordedRequest, one_request
from tenant_pipeline.services.approvals.refusals import (
    ApprovalMissingError,
    RequestEndedError,
    SignatureRefusedError,
)
from tenant_pipeline.services.approvals.requesting import request_operation
from tenant_pipeline.services.approvals.verification import missing_approvals
from tenant_pipeline.services.overview import overview_of
from tenant_pipeline.services.runtime import Runtime
from tests.integration.approval_steps import CONTENT, Clock, approve_all, ask, runtime, say, tenant, use
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.penetration import isolation_tested

__all__ = ["runtime", "tenant"]  # fixtures


def test_the_gate_opens_with_the_last_word_that_was_missing_and_for_that_digest_only(
    runtime: Runtime, tenant: TenantId
) -> None:
    request = ask(runtime, tenant)
    digest = request.request.subject_digest
    with pytest.raises(ApprovalMissingError, match="waits for tenant-admin and platform-governance and founder"):
        use(runtime, tenant)
    say(runtime, request, "ann", "tenant-admin")
    say(runtime, request, "bo", "platform-governance")
    with runtime.database.platform() as connection:
        assert missing_approvals(runtime, connection, tenant, Operation.INSTANCE, digest) == [
            "gate-tenant-instantiate waits for founder"
        ]
    say(runtime, request, "cy", "founder")
    with pytest.raises(ApprovalMissingError, match="was not asked for over this digest"):
        use(runtime, tenant, version="1.0.1")
    assert len(use(runtime, tenant)) == 3


def test_approvals_are_used_once(runtime: Runtime, tenant: TenantId) -> None:
    approve_all(runtime, ask(runtime, tenant))
    use(runtime, tenant)
    with pytest.raises(ApprovalMissingError, match="is used"):
        use(runtime, tenant)


def test_of_many_who_use_at_once_one_wins_and_the_others_are_told(runtime: Runtime, tenant: TenantId) -> None:
    approve_all(runtime, ask(runtime, tenant))

    def attempt(_: int) -> str:
        try:
            use(runtime, tenant)
        except ApprovalMissingError as error:
            return error.what
        return "used"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(24)))
    assert outcomes.count("used") == 1
    assert {each for each in outcomes if each != "used"} == {
        "The instance is not approved: gate-tenant-instantiate is used"
    }


def test_asking_twice_is_asking_once_and_asking_for_something_else_takes_the_first_back(
    runtime: Runtime, tenant: TenantId
) -> None:
    first = request_operation(runtime, tenant, Operation.RELEASE, CONTENT, requested_by="kanya", reason="")
    assert [str(each.request.gate) for each in first] == ["gate-review", "gate-conflict-resolution", "gate-go-live"]
    again = request_operation(runtime, tenant, Operation.RELEASE, CONTENT, requested_by="di", reason="")
    assert [each.request.id for each in again] == [each.request.id for each in first]
    say(runtime, first[0], "di", "reviewer")
    other = request_operation(
        runtime, tenant, Operation.RELEASE, {**CONTENT, "version": "2.0.0"}, requested_by="kanya", reason=""
    )
    assert {each.standing.state for each in other} == {RequestState.WAITING}
    with pytest.raises(RequestEndedError, match="withdrawn"):
        say(runtime, first[1], "di", "reviewer")


def test_who_may_not_decide_does_not(runtime: Runtime, tenant: TenantId) -> None:
    roles.grant_role(runtime, tenant, person="kanya", role="tenant-admin", granted_by="test")
    request = ask(runtime, tenant)
    refusals: list[tuple[str, str, dict[str, Any], type[Exception]]] = [
        ("kanya", "tenant-admin", {}, NotAllowedError),
        ("di", "reviewer", {}, NotAllowedError),
        ("di", "tenant-admin", {}, NotAllowedError),
        ("eve", "founder", {}, NotAllowedError),
        ("ann", "tenant-admin", {"digest": Sha256("c" * 64)}, InputError),
        ("ann", "tenant-admin", {"approves": False}, InputError),
    ]
    for person, role, more, refusal in refusals:
        with pytest.raises(refusal):
            say(runtime, request, person, role, **more)
    say(runtime, request, "jack", "tenant-admin")
    with pytest.raises(RequestEndedError, match="has decided"):
        say(runtime, request, "jack", "platform-governance")


def test_who_asked_does_not_decide_under_their_name_written_otherwise(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    for same in ("KANYA", "kanya "):
        roles.grant_role(runtime, tenant, person=same, role="tenant-admin", granted_by="test")
        with pytest.raises(NotAllowedError, match="of their own"):
            say(runtime, request, same, "tenant-admin")
        with pytest.raises(NotAllowedError, match="asked"):
            handing_over.delegate(
                runtime, tenant, request.request.id, role="tenant-admin", to=same, person="ann", reason="On leave"
            )
        assert not queue.list_requests(runtime, tenant, person=same, waiting_only=True)


def test_a_rejection_closes_the_request_and_says_why(runtime: Runtime, tenant: TenantId) -> None:
    request = say(
        runtime, ask(runtime, tenant), "bo", "platform-governance", approves=False, reason="Two halls missing"
    )
    assert request.standing.state is RequestState.REJECTED
    assert request.as_json()["decisions"][0]["reason"] == "Two halls missing"
    with pytest.raises(RequestEndedError):
        say(runtime, request, "ann", "tenant-admin")
    assert ask(runtime, tenant).request.id != request.request.id


def test_a_word_is_taken_back_before_it_is_used_and_not_after(runtime: Runtime, tenant: TenantId) -> None:
    request = approve_all(runtime, ask(runtime, tenant))
    of_ann = next(str(each["id"]) for each in request.decisions if each["approver"] == "ann")

    def take_back(person: str, role: str) -> RecordedRequest:
        return handing_over.revoke(
            runtime, tenant, request.request.id, approval=of_ann, person=person, role=role, reason="Saw a mistake"
        )

    with pytest.raises(NotAllowedError):
        take_back("adam", "tenant-admin")
    assert take_back("ann", "tenant-admin").standing.missing == (frozenset({"tenant-admin"}),)
    with pytest.raises(ApprovalMissingError):
        use(runtime, tenant)
    say(runtime, request, "adam", "tenant-admin")
    use(runtime, tenant)
    with pytest.raises(RequestEndedError):
        take_back("bo", "platform-governance")


@pytest.mark.parametrize("person", ["deputy", "ann"])
def test_a_word_given_for_somebody_is_taken_back_by_who_gave_it_and_by_whose_it_is(
    runtime: Runtime, tenant: TenantId, person: str
) -> None:
    request = ask(runtime, tenant)
    handing_over.delegate(
        runtime, tenant, request.request.id, role="tenant-admin", to="deputy", person="ann", reason="On leave"
    )
    (given,) = say(runtime, request, "deputy", "tenant-admin").decisions

    def take_back(by: str, role: str = "tenant-admin") -> RecordedRequest:
        return handing_over.revoke(
            runtime, tenant, request.request.id, approval=str(given["id"]), person=by, role=role, reason="A mistake"
        )

    for other, role in (("adam", "tenant-admin"), ("kanya", "tenant-admin"), (person, "platform-governance")):
        with pytest.raises(NotAllowedError):
            take_back(other, role)
    taken = take_back(person)
    assert frozenset({"tenant-admin"}) in taken.standing.missing
    assert [each["revoked"] for each in taken.decisions] == [True]
    with pytest.raises(RequestEndedError):
        take_back(person)


def test_who_lost_their_role_takes_their_word_back_all_the_same(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    (given,) = say(runtime, request, "ann", "tenant-admin").decisions
    roles.revoke_role(runtime, tenant, person="ann", role="tenant-admin", revoked_by="test")
    taken = handing_over.revoke(
        runtime, tenant, request.request.id, approval=str(given["id"]), person="ann", role="tenant-admin", reason="x"
    )
    assert [each["revoked"] for each in taken.decisions] == [True]


def test_a_decision_is_delegated_but_never_the_founders_nor_to_who_asked(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)

    def hand(person: str, role: str, to: str) -> RecordedRequest:
        return handing_over.delegate(
            runtime, tenant, request.request.id, role=role, to=to, person=person, reason="On leave"
        )

    with pytest.raises(NotAllowedError, match="founder"):
        hand("cy", "founder", "deputy")
    with pytest.raises(NotAllowedError, match="asked"):
        hand("ann", "tenant-admin", "kanya")
    with pytest.raises(NotAllowedError):
        say(runtime, request, "deputy", "tenant-admin")
    hand("ann", "tenant-admin", "deputy")
    decided = say(runtime, request, "deputy", "tenant-admin")
    assert [(each["person"], each["on_behalf_of"]) for each in decided.as_json()["decisions"]] == [("deputy", "ann")]


def test_who_hands_a_decision_on_has_not_two_words(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)

    def hand(of: RecordedRequest, person: str, role: str, to: str) -> RecordedRequest:
        return handing_over.delegate(runtime, tenant, of.request.id, role=role, to=to, person=person, reason="On leave")

    hand(request, "jack", "tenant-admin", "deputy")
    hand(request, "jack", "platform-governance", "second")
    say(runtime, request, "deputy", "tenant-admin")
    with pytest.raises(RequestEndedError, match="jack"):
        say(runtime, request, "second", "platform-governance")
    with pytest.raises(RequestEndedError, match="jack"):
        say(runtime, request, "jack", "platform-governance")

    other = ask(runtime, tenant, version="1.0.1")
    say(runtime, other, "jack", "tenant-admin")
    with pytest.raises(NotAllowedError, match="decided"):
        hand(other, "jack", "platform-governance", "second")


def test_who_asked_does_not_hand_the_decision_on(runtime: Runtime, tenant: TenantId) -> None:
    roles.grant_role(runtime, tenant, person="kanya", role="tenant-admin", granted_by="test")
    request = ask(runtime, tenant)
    with pytest.raises(NotAllowedError, match="asked"):
        handing_over.delegate(
            runtime, tenant, request.request.id, role="tenant-admin", to="friend", person="kanya", reason="x"
        )


def test_a_role_that_was_taken_again_is_nobodys_to_use_for_its_holder(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    handing_over.delegate(
        runtime, tenant, request.request.id, role="tenant-admin", to="deputy", person="ann", reason="On leave"
    )
    roles.revoke_role(runtime, tenant, person="ann", role="tenant-admin", revoked_by="test")
    with pytest.raises(NotAllowedError):
        say(runtime, request, "deputy", "tenant-admin")


def test_a_deputy_who_has_the_role_themself_decides_for_themself(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    handing_over.delegate(
        runtime, tenant, request.request.id, role="tenant-admin", to="adam", person="ann", reason="On leave"
    )
    roles.revoke_role(runtime, tenant, person="ann", role="tenant-admin", revoked_by="test")
    (given,) = say(runtime, request, "adam", "tenant-admin").decisions
    assert (given["approver"], given["on_behalf_of"]) == ("adam", None)


def test_the_queue_shows_a_person_what_they_may_decide_and_no_more(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    review = ask(runtime, tenant, Operation.RELEASE)

    def seen(person: str) -> set[str]:
        return {each.request.id for each in queue.list_requests(runtime, tenant, person=person)}

    assert seen("kanya") == seen("eve") == set()
    assert review.request.id in seen("di")
    assert request.request.id in seen("cy")
    say(runtime, request, "cy", "founder")
    assert request.request.id not in seen("cy")
    named = handing_over.assign(
        runtime, tenant, request.request.id, role="tenant-admin", to="ann", person="bo",
        person_role="platform-governance",
    )  # fmt: skip
    assert named.assigned_to("tenant-admin") == "ann"
    assert [each.request.id for each in queue.list_requests(runtime, tenant, role="founder")] == []


def test_a_breach_escalates_once_a_level_and_approves_nothing(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    late = Clock.at(runtime, request.request.due_at - datetime.now(UTC) + timedelta(minutes=1))

    def escalated(at: Runtime) -> list[str]:
        return [each.request.id for each in queue.escalate_breaches(at) if each.tenant == tenant]

    assert escalated(runtime) == []
    assert escalated(late) == [request.request.id]
    assert escalated(late) == []
    again = request.request.due_at + (request.request.due_at - request.request.requested_at)
    later = Clock.at(runtime, again - datetime.now(UTC) + timedelta(minutes=1))
    assert escalated(later) == [request.request.id]
    with runtime.database.platform() as connection:
        found = one_request(connection, tenant, request.request.id, later.now())
    assert found.escalated_to == ("platform-governance", "founder")
    assert found.standing.state is RequestState.WAITING


def test_a_tenants_login_holds_up_no_escalation_but_its_own(
    runtime: Runtime, tenant: TenantId, tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenant_pipeline.storage.database.LONGEST_LOCK_WAIT", "100ms")
    request = ask(runtime, tenant)
    late = Clock.at(runtime, request.request.due_at - datetime.now(UTC) + timedelta(minutes=1))
    with tenants.login(tenant) as intruder:
        intruder.execute("SELECT app.lock('audit', %s)", (tenant,))
        assert request.request.id not in {each.request.id for each in queue.escalate_breaches(late)}
    assert request.request.id in {each.request.id for each in queue.escalate_breaches(late)}


def test_what_waited_too_long_is_in_the_queue_of_whom_it_was_taken_to(runtime: Runtime, tenant: TenantId) -> None:
    review, *_ = request_operation(runtime, tenant, Operation.RELEASE, CONTENT, requested_by="kanya", reason="First")
    late = Clock.at(runtime, review.request.due_at - datetime.now(UTC) + timedelta(minutes=1))

    def seen(person: str) -> set[str]:
        found = queue.list_requests(late, tenant, person=person, with_escalated=True, waiting_only=True)
        return {str(each.request.gate) for each in found}

    before = {person: overview_of(late, tenant, person)["waits_for_you"] for person in ("bo", "cy", "kanya")}
    assert str(review.request.gate) not in seen("bo")
    queue.escalate_breaches(late)
    assert str(review.request.gate) in seen("bo")
    assert str(review.request.gate) not in seen("cy") | seen("kanya") | seen("eve")
    after = overview_of(late, tenant, "bo")
    assert after["waits_for_you"] == before["bo"] + 1
    assert overview_of(late, tenant, "cy")["waits_for_you"] == before["cy"]
    (told,) = [each for each in after["waiting"] if each["id"] == review.request.id]
    assert told["escalated_to"] == ["platform-governance"]
    # To see to it is theirs; the reviewer's word is still the reviewer's to give.
    named = handing_over.assign(
        late, tenant, review.request.id, role="reviewer", to="di", person="bo", person_role="platform-governance"
    )
    assert named.assigned_to("reviewer") == "di"
    with pytest.raises(NotAllowedError):
        say(late, review, "bo", "reviewer")
    say(late, review, "di", "reviewer")
    assert str(review.request.gate) not in seen("bo")


def test_an_expired_request_opens_nothing_however_often_it_was_approved(runtime: Runtime, tenant: TenantId) -> None:
    approve_all(runtime, ask(runtime, tenant))
    with pytest.raises(ApprovalMissingError, match="is expired"):
        use(Clock.at(runtime, timedelta(days=31)), tenant)


def test_a_person_with_a_key_signs_or_does_not_decide(runtime: Runtime, tenant: TenantId) -> None:
    key = Ed25519PrivateKey.generate()
    key_id = person_keys.add_person_key(
        runtime, tenant, person="cy", public_key=key.public_key().public_bytes_raw(), added_by="bo"
    )
    request = ask(runtime, tenant)

    def signed(**other: str) -> bytes:
        words = {
            "tenant": tenant, "request": request.request.id, "gate": str(request.request.gate),
            "subject_digest": request.request.subject_digest, "person": "cy", "role": "founder",
            "decision": "approve", "reason": "",
        }  # fmt: skip
        return key.sign(bytes_to_sign(SignedDecision(**{**words, **other})))  # type: ignore[arg-type]

    for wrong in (None, b"x" * 64, signed(decision="reject"), signed(request=str(uuid.uuid4())), signed(role="viewer")):
        with pytest.raises(SignatureRefusedError):
            say(runtime, request, "cy", "founder", signature=wrong)
    decided = say(runtime, request, "cy", "founder", signature=signed())
    assert decided.as_json()["decisions"][0]["signed_with"] == key_id
    say(runtime, request, "ann", "tenant-admin")
    say(runtime, request, "bo", "platform-governance")
    person_keys.end_person_key(runtime, tenant, person="cy", key_id=key_id, ended_by="bo")
    with pytest.raises(ApprovalMissingError, match="signature"):
        use(runtime, tenant)
    with pytest.raises(NotFoundError):
        person_keys.end_person_key(runtime, tenant, person="cy", key_id=key_id, ended_by="bo")
    with pytest.raises(InputError, match="ended"):
        person_keys.add_person_key(
            runtime, tenant, person="cy", public_key=key.public_key().public_bytes_raw(), added_by="bo"
        )


def test_whoever_had_a_key_signs_also_after_it_was_ended(runtime: Runtime, tenant: TenantId) -> None:
    approve_all(runtime, ask(runtime, tenant))
    public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    key_id = person_keys.add_person_key(runtime, tenant, person="cy", public_key=public_key, added_by="bo")
    person_keys.end_person_key(runtime, tenant, person="cy", key_id=key_id, ended_by="bo")
    with pytest.raises(ApprovalMissingError, match="the decision is not signed"):
        use(runtime, tenant)
    anew = ask(runtime, tenant, version="1.0.1")
    with pytest.raises(SignatureRefusedError, match="the decision is not signed") as refused:
        say(runtime, anew, "cy", "founder")
    assert "have another added" in refused.value.remedy


def test_another_tenants_request_is_not_there(runtime: Runtime, tenant: TenantId) -> None:
    request = replace(ask(runtime, tenant), tenant=ATTACKER)
    acts: list[Callable[[], object]] = [
        lambda: say(runtime, request, "ann", "tenant-admin"),
        lambda: handing_over.withdraw(runtime, ATTACKER, request.request.id, person="kanya", reason=""),
        lambda: handing_over.delegate(
            runtime, ATTACKER, request.request.id, role="founder", to="x", person="eve", reason="x"
        ),
    ]
    for act in acts:
        with pytest.raises(NotFoundError):
            act()
    digest = digest_of_operation(tenant, Operation.INSTANCE, CONTENT)
    with runtime.database.platform() as connection:
        assert missing_approvals(runtime, connection, ATTACKER, Operation.INSTANCE, digest) == [
            "gate-tenant-instantiate was not asked for over this digest"
        ]


def test_the_database_itself_holds_decisions_to_their_request(runtime: Runtime, tenant: TenantId) -> None:
    request = ask(runtime, tenant)
    rows: dict[str, dict[str, object]] = {
        "another digest": {"subject_digest": "d" * 64},
        "another gate": {"gate": "gate-review"},
        "another requester": {"requested_by": "somebody"},
        "the requester": {"approver": "kanya"},
        "a role not asked for": {"role": "reviewer"},
        "after it expired": {"decided_at": request.request.expires_at},
        "a rejection without a reason": {"decision": "reject"},
        "a role not held": {"approver": "eve"},
        "for somebody without the role": {"approver": "eve", "on_behalf_of": "bo"},
        "for the requester": {"approver": "eve", "on_behalf_of": "kanya"},
        "for somebody who handed nothing on": {"approver": "eve", "on_behalf_of": "ann"},
    }
    roles.grant_role(runtime, tenant, person="kanya", role="tenant-admin", granted_by="test")
    taken_in = []
    for what, change in rows.items():
        row: dict[str, object] = {
            "tenant_id": tenant, "id": uuid.uuid4(), "gate": str(request.request.gate), "subject": "instance",
            "subject_digest": request.request.subject_digest, "requested_by": "kanya", "approver": "ann",
            "role": "tenant-admin", "decision": "approve", "reason": "", "request_id": request.request.id, **change,
        }  # fmt: skip
        with suppress(psycopg.errors.IntegrityError), runtime.database.platform() as connection:
            connection.execute(
                f"INSERT INTO runtime.approvals ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                list(row.values()),
            )
            taken_in.append(what)
    assert taken_in == []


def test_the_line_shows_what_may_go_ahead_and_what_each_other_waits_for(runtime: Runtime, tenant: TenantId) -> None:
    def in_line() -> dict[Operation, tuple[str, ...]]:
        found = operations_in_line(runtime, Operation.INSTANCE, Operation.RELEASE, tenant=tenant)
        return {each.operation: each.missing for each in found}

    isolation_tested(runtime)
    assert in_line() == {}
    request = ask(runtime, tenant)
    ask(runtime, tenant, Operation.RELEASE)
    assert in_line()[Operation.RELEASE] == (
        "gate-review waits for reviewer",
        "gate-conflict-resolution waits for platform-governance or reviewer",
        "gate-go-live waits for tenant-admin and platform-governance",
    )
    approve_all(runtime, request)
    (ready,) = operations_in_line(runtime, Operation.INSTANCE, tenant=tenant)
    assert (ready.missing, ready.content, len(ready.approvals)) == ((), CONTENT, 3)
    use(runtime, tenant)
    assert Operation.INSTANCE not in in_line()
