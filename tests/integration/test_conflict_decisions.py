"""A decision covers what was looked at and nothing else, is one person's in a role that may, and is never half made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts import bulk_signing, items, signing
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.refusals import AlreadyDecidedError, DecisionOutdatedError, NotEntitledError
from tenant_pipeline.services.conflicts.resolved_values import resolved_values
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, reopen, resolve
from tenant_pipeline.services.judgements import count_proposed_pairs, list_pairs
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.storage.audit_log import AuditLog
from tests.integration.conflict_statements import ANN, BOB, HALL, Sources, new_tenant
from tests.integration.conftest import ATTACKER, TwoTenants

TAKE_FIRST = Choice(Decision.CANDIDATE, 1)


def capacity(value: str) -> tuple[str, str, str]:
    return ("maximumAttendeeCapacity", "", value)


@pytest.fixture
def sources(tenants: TwoTenants) -> Sources:
    """A tenant with one item: two sources of one tier that differ."""
    made = new_tenant(tenants.runtime)
    made.say(1, capacity("100"))
    made.say(2, capacity("900"))
    return made


def decide(sources: Sources, choice: Choice = TAKE_FIRST, **changed: Any) -> dict[str, Any]:
    item = sources.item()
    arguments: dict[str, Any] = {"digest": item["candidates_digest"], "signer": ANN, **changed}
    return resolve(sources.runtime, sources.tenant, item["conflict_id"], choice=choice, **arguments)


def resolved(sources: Sources) -> list[tuple[str, str, bool]]:
    rows = resolved_values(sources.runtime, sources.tenant)
    return [(row["value"], row["decision"], row["signed"]) for row in rows]


def audited(sources: Sources) -> list[dict[str, Any]]:
    return sources.rows(
        "SELECT actor, action, subject, details FROM runtime.audit_log WHERE actor <> 'test' ORDER BY sequence"
    )


def signature_count(sources: Sources) -> int:
    return len(sources.rows("SELECT 1 FROM runtime.conflict_signatures"))


def test_taking_a_candidate_resolves_the_value_to_its_statement(sources: Sources) -> None:
    assert [signed for _, _, signed in resolved(sources)] == [False]
    before = sources.rows("SELECT * FROM runtime.statements ORDER BY source_id")
    decide(sources, Choice(Decision.CANDIDATE, 2))
    (row,) = resolved_values(sources.runtime, sources.tenant)
    statement = next(each for each in before if each["value"] == "900")
    assert (row["value"], row["decision"], row["signed"], row["person"]) == ("900", "candidate", True, "ann")
    assert (row["source_id"], row["statement_id"]) == (statement["source_id"], statement["statement_id"])
    assert sources.rows("SELECT * FROM runtime.statements ORDER BY source_id") == before, "no statement is touched"


def test_a_pinned_value_is_standardised_and_is_the_resolved_value(sources: Sources) -> None:
    decide(sources, Choice(Decision.HUMAN_PIN, value=" 2,500 "))
    assert resolved(sources) == [("2500", "human-pin", True)]


@pytest.mark.parametrize("value", ["", "  ", "many", "1" * 10_001, "5\0"])
def test_a_pin_that_is_no_value_of_the_property_is_refused(sources: Sources, value: str) -> None:
    with pytest.raises(InputError) as refused:
        decide(sources, Choice(Decision.HUMAN_PIN, value=value))
    assert "many" not in str(refused.value)
    assert signature_count(sources) == 0


def test_both_right_resolves_to_all_values(sources: Sources) -> None:
    decide(sources, Choice(Decision.BOTH_RIGHT))
    assert resolved(sources) == [("100", "both-right", True), ("900", "both-right", True)]


def test_a_wrong_link_is_handed_to_link_judgement_and_the_item_stays_open(sources: Sources) -> None:
    sources.link()
    item = decide(sources, Choice(Decision.LINK_WRONG))
    assert (item["status"], item["signatures"][0]["decision"]) == ("open", "link-wrong")
    handed = sources.rows("SELECT left_id, right_id, judgement, status, explanation FROM runtime.judgements")
    assert len(handed) == 2
    for judgement in handed:
        assert (judgement["judgement"], judgement["status"]) == ("unsure", "proposed")
        assert item["canonical_id"] in (judgement["left_id"], judgement["right_id"])
        assert judgement["explanation"]["conflict_id"] == item["conflict_id"]
    shown = list_pairs(sources.runtime, sources.tenant)
    assert {pair["left_id"] for pair in shown} | {pair["right_id"] for pair in shown} == {
        each for judgement in handed for each in (judgement["left_id"], judgement["right_id"])
    }
    assert len(shown) == count_proposed_pairs(sources.runtime, sources.tenant) == 2
    assert [signed for _, _, signed in resolved(sources)] == [False]


@pytest.mark.parametrize("home", [HALL, "home-of-both"])
def test_a_wrong_link_that_one_identifier_made_is_refused_with_what_mends_it(sources: Sources, home: str) -> None:
    sources.link(home)
    with pytest.raises(InputError, match="One identifier joined them") as refused:
        decide(sources, Choice(Decision.LINK_WRONG))
    assert "hand it in anew with the identifier mended" in refused.value.remedy
    assert signature_count(sources) == count_proposed_pairs(sources.runtime, sources.tenant) == 0


@pytest.mark.parametrize("choice", [Choice(Decision.CANDIDATE), Choice(Decision.CANDIDATE, 0),
                                    Choice(Decision.CANDIDATE, 3), Choice(Decision.VOID)])  # fmt: skip
def test_a_choice_that_the_form_does_not_offer_is_refused(sources: Sources, choice: Choice) -> None:
    with pytest.raises(InputError):
        decide(sources, choice)
    assert signature_count(sources) == 0


def test_what_has_changed_since_it_was_looked_at_cannot_be_signed(sources: Sources) -> None:
    seen = sources.item()
    sources.say(2, capacity("800"))
    third = sources.say(3, capacity("500"))
    with pytest.raises(DecisionOutdatedError) as refused:
        decide(sources, digest=seen["candidates_digest"])
    assert refused.value.what == (
        f"The item has changed since it was looked at: {third} has come; src-0000000000000002 says another value"
    )
    assert "conflict show" in refused.value.remedy
    assert (signature_count(sources), sources.item()["status"]) == (0, "open")


def test_a_digest_that_the_item_never_had_is_refused(sources: Sources) -> None:
    with pytest.raises(DecisionOutdatedError, match="none that this item has had"):
        decide(sources, digest="f" * 64)


def test_an_item_that_is_no_more_cannot_be_signed(sources: Sources) -> None:
    seen = sources.item()
    sources.say(2, capacity("100"))
    with pytest.raises(DecisionOutdatedError, match="no longer disagree"):
        resolve(
            sources.runtime, sources.tenant, seen["conflict_id"], digest=seen["candidates_digest"],
            choice=TAKE_FIRST, signer=ANN,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("signer", "refusal"),
    [
        (replace(ANN, role="founder"), NotAllowedError),
        (replace(ANN, role=""), NotAllowedError),
        (replace(ANN, person="somebody else"), NotAllowedError),
        (replace(ANN, person=" "), InputError),
        (replace(ANN, reason=""), InputError),
        (replace(ANN, reason="x" * 2001), InputError),
    ],
)
def test_only_a_named_reviewer_with_a_reason_signs(sources: Sources, signer: Any, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        decide(sources, signer=signer)
    assert signature_count(sources) == 0


def test_governance_signs_as_a_reviewer_does_an_item_and_a_list(sources: Sources, many: Sources) -> None:
    governor = Signer("gail", "platform-governance", "The reviewer is away.")
    assert decide(sources, signer=governor)["signatures"][0]["role"] == "platform-governance"
    signed = bulk_signing.sign_list(
        many.runtime, many.tenant, proposed_rule="authority_tier", verdict="differs", digest=by_tier(many)["digest"],
        signer=governor,
    )  # fmt: skip
    assert signed.signed == 5


def test_each_decision_is_in_the_audit_log(sources: Sources) -> None:
    item = decide(sources)
    reopen(sources.runtime, sources.tenant, item["conflict_id"], signer=BOB)
    signed, reopened = audited(sources)
    assert (signed["actor"], signed["action"], signed["subject"]) == ("ann", "conflict.decided", item["conflict_id"])
    assert signed["details"] == {
        "role": "reviewer", "reason": ANN.reason, "decision": "candidate",
        "candidates_digest": item["candidates_digest"],
    }  # fmt: skip
    assert (reopened["actor"], reopened["details"]["decision"]) == ("bob", "reopen")


def test_reopening_keeps_the_signature_as_history_and_another_person_decides(sources: Sources) -> None:
    item = decide(sources)
    opened = reopen(sources.runtime, sources.tenant, item["conflict_id"], signer=BOB)
    assert (opened["status"], opened["reopened"]) == ("open", True)
    assert [(each["decision"], each["person"]) for each in opened["signatures"]] == [
        ("candidate", "ann"), ("void", "bob"),
    ]  # fmt: skip
    assert sources.form(item["conflict_id"])["who_may_sign"]["not"] == "bob"
    with pytest.raises(NotEntitledError, match="reopened"):
        decide(sources, signer=BOB)
    again = decide(sources, Choice(Decision.CANDIDATE, 2))
    assert (again["status"], again["reopened"]) == ("signed", False)
    assert resolved(sources) == [("900", "candidate", True)]


def test_whoever_reopened_an_item_does_not_sign_it_either_after_somebody_held_its_links_to_be_wrong(
    sources: Sources,
) -> None:
    item = decide(sources)
    reopen(sources.runtime, sources.tenant, item["conflict_id"], signer=BOB)
    decide(sources, Choice(Decision.LINK_WRONG))
    assert sources.form(item["conflict_id"])["who_may_sign"]["not"] == "bob"
    with pytest.raises(NotEntitledError, match="reopened"):
        decide(sources, signer=BOB)
    assert decide(sources)["status"] == "signed"


def test_whoever_reopened_an_item_does_not_sign_it_under_their_name_written_otherwise(sources: Sources) -> None:
    item = decide(sources)
    reopen(sources.runtime, sources.tenant, item["conflict_id"], signer=BOB)
    for same in ("BOB", "bob "):
        grant_role(sources.runtime, sources.tenant, person=same, role=BOB.role, granted_by="test")
        with pytest.raises(NotEntitledError, match="reopened"):
            decide(sources, signer=replace(BOB, person=same))


def test_what_nobody_has_signed_is_not_reopened(sources: Sources) -> None:
    with pytest.raises(InputError, match="nothing to reopen"):
        reopen(sources.runtime, sources.tenant, sources.item()["conflict_id"], signer=ANN)


def test_a_reopened_item_stays_open_when_it_is_compared_again(sources: Sources) -> None:
    item = decide(sources)
    reopen(sources.runtime, sources.tenant, item["conflict_id"], signer=BOB)
    sources.say(2, capacity("900"))
    assert (sources.item()["status"], sources.item()["reopened"]) == ("open", True)


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have passed every check that needs no lock before either takes it."""
    barrier = threading.Barrier(2, timeout=30)
    entitled = signing.require_entitled

    def both_here(*arguments: Any) -> None:
        entitled(*arguments)
        barrier.wait()

    monkeypatch.setattr(signing, "require_entitled", both_here)
    item = sources.item()

    def attempt(signer: Any, number: int) -> dict[str, Any] | AlreadyDecidedError:
        try:
            return resolve(
                sources.runtime, sources.tenant, item["conflict_id"], digest=item["candidates_digest"],
                choice=Choice(Decision.CANDIDATE, number), signer=signer,
            )  # fmt: skip
        except AlreadyDecidedError as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        outcomes = [each.result() for each in (pool.submit(attempt, ANN, 1), pool.submit(attempt, BOB, 2))]
    (refused,) = [each for each in outcomes if isinstance(each, AlreadyDecidedError)]
    (won,) = [each for each in outcomes if isinstance(each, dict)]
    winner = won["signatures"][0]["person"]
    assert refused.what.startswith(f"{winner} has signed this item already, at 20")
    assert "conflict reopen" in refused.remedy
    assert (signature_count(sources), len(audited(sources))) == (1, 1)


class Killed(BaseException):
    """The process ends here."""


def test_killed_in_the_middle_nothing_is_half_written(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = ("conflicts", "conflict_signatures", "judgements", "tenant_sources", "audit_log")

    def everything() -> dict[str, Any]:
        return {table: sources.rows(f"SELECT * FROM runtime.{table} ORDER BY 1, 2, 3") for table in tables}

    def killed(*_: object) -> None:
        raise Killed

    def attempt(act: Callable[[], object]) -> None:
        before = everything()
        with monkeypatch.context() as patched:
            patched.setattr(AuditLog, "append", killed)
            with pytest.raises(Killed):
                act()
        assert everything() == before

    attempt(lambda: decide(sources))
    attempt(lambda: decide(sources, Choice(Decision.LINK_WRONG)))
    sources.say(3, capacity("900"))
    attempt(lambda: sign_bulk(sources, bulk(sources)["digest"]))
    signed = decide(sources)
    attempt(lambda: reopen(sources.runtime, sources.tenant, signed["conflict_id"], signer=BOB))


def test_killed_while_comparing_the_matrix_is_as_it_was(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(sources)
    source = sources.say(2, capacity("800"), compare=False)
    tables = ("conflicts", "conflict_sources", "conflict_signatures", "conflict_versions")
    before = {table: sources.rows(f"SELECT * FROM runtime.{table} ORDER BY 1, 2, 3") for table in tables}

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(items, "count_open_items", killed)
    with pytest.raises(Killed):
        sources.compare(source)
    assert {table: sources.rows(f"SELECT * FROM runtime.{table} ORDER BY 1, 2, 3") for table in tables} == before


def bulk(sources: Sources) -> dict[str, Any]:
    rule = sources.items()[0]["proposed_rule"]
    return bulk_signing.preview(sources.runtime, sources.tenant, proposed_rule=rule, verdict="differs")


def sign_bulk(sources: Sources, digest: str, signer: Any = ANN, tenant: TenantId | None = None) -> int:
    rule = sources.items()[0]["proposed_rule"]
    return bulk_signing.sign_list(
        sources.runtime, tenant or sources.tenant, proposed_rule=rule, verdict="differs", digest=digest, signer=signer
    ).signed


@pytest.fixture
def many(tenants: TwoTenants) -> Sources:
    """A tenant with five items that the tier decides, and one for a person."""
    made = new_tenant(tenants.runtime)
    for number in range(5):
        made.say(1, *[capacity("100")], entity=f"can-{number}", tier=2, compare=False)
        made.say(2, *[capacity("900")], entity=f"can-{number}", tier=3, compare=False)
    made.say(3, capacity("1"), entity="can-person", tier=1, compare=False)
    made.say(4, capacity("2"), entity="can-person", tier=1, compare=False)
    with made.runtime.database.tenant(made.tenant) as connection:
        connection.execute("UPDATE runtime.statements SET retired_at = NULL")
    for source in list(made.assembled):
        made.compare(source)
    return made


def by_tier(sources: Sources) -> dict[str, Any]:
    return bulk_signing.preview(sources.runtime, sources.tenant, proposed_rule="authority_tier", verdict="differs")


def test_the_list_that_was_shown_is_signed_whole(many: Sources) -> None:
    listed = by_tier(many)
    assert [item["proposed_value"] for item in listed["items"]] == ["100"] * 5
    signed = bulk_signing.sign_list(
        many.runtime, many.tenant, proposed_rule="authority_tier", verdict="differs", digest=listed["digest"],
        signer=ANN,
    )  # fmt: skip
    assert (signed.signed, signed.left) == (5, 0)
    assert [item["needs_person"] for item in many.items(status="open")] == [True]
    rows = many.rows("SELECT person, decision, value, source_id, list_digest FROM runtime.conflict_signatures")
    assert {tuple(row.values()) for row in rows} == {
        ("ann", "candidate", "100", "src-0000000000000001", listed["digest"])
    }
    (entry,) = audited(many)
    assert (entry["subject"], entry["details"]["items"]) == (f"list:{listed['digest']}", 5)
    counts = many.rows("SELECT conflicts_count FROM runtime.tenant_sources ORDER BY id")
    assert [row["conflicts_count"] for row in counts] == [0, 0, 1, 1]


def test_a_rule_with_more_than_one_list_is_signed_list_by_list_as_they_were_shown(
    many: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_signing, "MOST_AT_ONCE", 2)
    rule = {"proposed_rule": "authority_tier", "verdict": "differs"}
    assert bulk_signing.rules(many.runtime, many.tenant) == [{**rule, "items": 5}]
    assert bulk_signing.rules(many.runtime, ATTACKER) == []
    lists, after = [], ""
    while True:
        listed = bulk_signing.preview(many.runtime, many.tenant, **rule, after=after)
        assert listed["matching"] == 5
        lists.append((after, listed))
        if listed["next"] is None:
            break
        after = listed["next"]
    assert [len(listed["items"]) for _, listed in lists] == [2, 2, 1]

    def sign(after: str, digest: str) -> bulk_signing.SignedList:
        return bulk_signing.sign_list(many.runtime, many.tenant, **rule, digest=digest, signer=ANN, after=after)

    (_, first), (_, second), (_, third) = lists
    assert sign("", first["digest"]) == bulk_signing.SignedList(2, left=3)
    with pytest.raises(DecisionOutdatedError):
        sign("", first["digest"])
    changed = third["items"][0]["canonical_id"]
    many.say(9, capacity("500"), entity=changed, tier=4)
    assert sign(lists[1][0], second["digest"]) == bulk_signing.SignedList(2, left=1)
    with pytest.raises(DecisionOutdatedError):
        sign(lists[2][0], third["digest"])
    assert [entry["details"]["items"] for entry in audited(many)] == [2, 2]
    assert [item["canonical_id"] for item in many.items(status="open", needs_person=False)] == [changed]


def test_nobody_signs_a_list_that_they_have_not_seen(many: Sources) -> None:
    listed = by_tier(many)
    many.say(9, capacity("500"), entity="can-0", tier=4)
    with pytest.raises(DecisionOutdatedError, match="come, gone or changed"):
        bulk_signing.sign_list(
            many.runtime, many.tenant, proposed_rule="authority_tier", verdict="differs", digest=listed["digest"],
            signer=ANN,
        )  # fmt: skip
    assert signature_count(many) == 0


def test_a_reopened_item_is_not_signed_among_many(many: Sources) -> None:
    first = next(item for item in many.items() if not item["needs_person"])
    resolve(
        many.runtime, many.tenant, first["conflict_id"], digest=first["candidates_digest"], choice=TAKE_FIRST,
        signer=ANN,
    )  # fmt: skip
    reopen(many.runtime, many.tenant, first["conflict_id"], signer=BOB)
    assert first["conflict_id"] not in [item["conflict_id"] for item in by_tier(many)["items"]]


def test_another_tenant_signs_and_reopens_nothing(sources: Sources) -> None:
    listed = bulk(sources)
    with pytest.raises(NotFoundError):
        sign_bulk(sources, listed["digest"], tenant=ATTACKER)
    item = decide(sources)
    with pytest.raises(NotFoundError):
        reopen(sources.runtime, ATTACKER, item["conflict_id"], signer=BOB)
    assert sources.item()["status"] == "signed"
