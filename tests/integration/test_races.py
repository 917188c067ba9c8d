"""People and runs at the same time: nothing is published twice, lost, or without its approvals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tenant_pipeline.core.approval.operation import GATES, Operation
from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.errors import InputError, TenantRuntimeError
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.release.version import ChangeCounts
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services import judgements
from tenant_pipeline.services.approvals import handing_over, queue
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.conflicts.refusals import DecisionOutdatedError
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.feeds.feeds import NewFeed, add_feed, end_feed_of, set_status
from tenant_pipeline.services.going_live.listings import list_approved, request_listing
from tenant_pipeline.services.going_live.releases import publish_approved, request_release, request_rollback
from tenant_pipeline.services.marketplace.drafting import ListingTerms
from tenant_pipeline.services.marketplace.listing import listing_history, withdraw
from tenant_pipeline.services.registry import update_tenant
from tenant_pipeline.services.releases import building, publishing
from tenant_pipeline.services.releases.checks import ReleaseRefusedError
from tenant_pipeline.services.releases.reading import live_release
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import state_of
from tenant_pipeline.services.withdrawals import withdraw_source
from tenant_pipeline.storage.database import login_of
from tests.integration.conflict_statements import ANN, HALL, Sources, new_tenant
from tests.integration.conftest import TwoTenants
from tests.integration.releasable import PEOPLE, approve_everything, go_live, releasable, settle
from tests.integration.waiting_locks import wait_for_a_waiting_lock

pytestmark = pytest.mark.slow

AT_ONCE = 8
LEAST_OPERATIONS = 200
ACTS = ("approve", "approve", "reject", "revoke", "withdraw", "publish", "publish", "ask to release", "ask to go back")


class Racing(RuleBasedStateMachine):
    """One tenant with two published releases and a changed draft; batches of acts that all begin together."""

    runtime: ClassVar[Runtime]
    done: ClassVar[Counter[str]] = Counter()

    @initialize()
    def two_releases(self) -> None:
        self.made: Sources = releasable(self.runtime)
        self.published = 0
        for number, arena in ((3, "New Arena"), (4, "Old Arena")):
            self._publish_draft()
            self.made.say(number, ("name", "en", arena), entity=f"can-{number}", compare=False, title=arena)
            settle(self.made)

    def _publish_draft(self) -> None:
        request_release(self.runtime, self.made.tenant, requested_by="kanya")
        approve_everything(self.runtime, self.made.tenant)
        publish_approved(self.runtime, self.made.tenant, run_by="run")
        self.published += 1

    @rule(batch=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(sorted(PEOPLE))), min_size=8, max_size=16))
    def at_once(self, batch: list[tuple[str, str]]) -> None:
        self._race(batch)

    @precondition(lambda self: hasattr(self, "made"))
    @rule(asked=st.sampled_from(["ask to release", "ask to go back"]))
    def all_sign_and_many_publish(self, asked: str) -> None:
        self._race([(asked, "kanya")])
        self._race([*(("approve", person) for person in PEOPLE), *[("publish", "run")] * 4])
        self._race([("publish", "run")] * 4 + [("revoke", "anan"), (asked, "kanya")])

    def _race(self, batch: list[tuple[str, str]]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for act, succeeded in zip(batch, pool.map(self._act, batch), strict=True):
                self.done[act[0]] += 1
                self.published += succeeded and act[0] == "publish"

    def _act(self, act: tuple[str, str]) -> bool:
        """Do it; whether it was done. A typed refusal is an answer, anything else a fault."""
        name, person = act
        try:
            return self._acts()[name](person)
        except TenantRuntimeError:
            return False

    def _acts(self) -> dict[str, Callable[[str], bool]]:
        runtime, tenant = self.runtime, self.made.tenant

        def say(person: str, *, approves: bool) -> bool:
            said = False
            for waiting in queue.list_requests(runtime, tenant, person=person, waiting_only=True):
                with suppress(TenantRuntimeError):
                    decide(
                        runtime, tenant, waiting.request.id, digest=waiting.request.subject_digest, approves=approves,
                        person=person, role=PEOPLE[person], reason="Looked at",
                    )  # fmt: skip
                    said = True
            return said

        def revoke(person: str) -> bool:
            for recorded in queue.list_requests(runtime, tenant):
                for decision in recorded.decisions:
                    if decision["approver"] == person and not decision["revoked"]:
                        with suppress(TenantRuntimeError):
                            handing_over.revoke(
                                runtime, tenant, recorded.request.id, approval=str(decision["id"]), person=person,
                                role=PEOPLE[person], reason="On second thoughts",
                            )  # fmt: skip
            return True

        def withdraw(_: str) -> bool:
            for recorded in queue.list_requests(runtime, tenant, waiting_only=True):
                handing_over.withdraw(runtime, tenant, recorded.request.id, person="kanya", reason="Not yet")
            return True

        def publish(_: str) -> bool:
            publish_approved(runtime, tenant, run_by="run")
            return True

        def ask_to_release(_: str) -> bool:
            request_release(runtime, tenant, requested_by="kanya")
            return True

        def ask_to_go_back(_: str) -> bool:
            entries = self._entries()
            others = [each for each in entries if each["release_digest"] != entries[-1]["release_digest"]]
            request_rollback(
                runtime, tenant, others[-1]["release_digest"], requested_by="kanya", reason="Better before"
            )
            return True

        return {
            "approve": lambda person: say(person, approves=True),
            "reject": lambda person: say(person, approves=False),
            "revoke": revoke,
            "withdraw": withdraw,
            "publish": publish,
            "ask to release": ask_to_release,
            "ask to go back": ask_to_go_back,
        }

    def _entries(self) -> list[dict[str, Any]]:
        return self._rows(
            "SELECT * FROM runtime.publish_pipeline WHERE tenant_id = %s AND stage = 'published' ORDER BY id"
        )

    def _rows(self, query: str) -> list[dict[str, Any]]:
        with self.runtime.database.platform() as connection:
            return connection.execute(query, (self.made.tenant,)).fetchall()

    @precondition(lambda self: hasattr(self, "made"))
    @invariant()
    def every_publication_that_was_done_is_in_the_history_once(self) -> None:
        assert len(self._entries()) == self.published

    @precondition(lambda self: hasattr(self, "made"))
    @invariant()
    def every_publication_rests_on_its_own_approvals(self) -> None:
        words = {
            str(row["id"]): row
            for row in self._rows(
                """
                SELECT word.*, request.gate, request.subject, request.content, request.requested_by
                  FROM runtime.approvals AS word
                  JOIN runtime.approval_requests AS request
                    ON request.tenant_id = word.tenant_id AND request.id = word.request_id
                 WHERE word.tenant_id = %s
                """
            )
        }
        revoked = {
            str(row["approval_id"])
            for row in self._rows("SELECT * FROM runtime.approval_steps WHERE tenant_id = %s AND step = 'revoked'")
        }
        spent: set[str] = set()
        for entry in self._entries():
            approvals = list(entry["approvals"])
            assert not spent.intersection(approvals)
            spent.update(approvals)
            operation = Operation.ROLLBACK if entry["rollback_to"] else Operation.RELEASE
            resting = [words[each] for each in approvals]
            assert {each["subject"] for each in resting} == {str(operation)}
            assert {each["content"]["release"] for each in resting} == {entry["release_digest"]}
            assert {each["gate"] for each in resting} == {str(gate) for gate in GATES[operation]}
            assert all(each["decision"] == "approve" and each["approver"] != each["requested_by"] for each in resting)
            assert not revoked.intersection(approvals)
            going_live = [each for each in resting if each["gate"] == "gate-go-live"]
            assert {each["role"] for each in going_live} == {"tenant-admin", "platform-governance"}
            assert len({each["approver"] for each in going_live}) == 2

    @precondition(lambda self: hasattr(self, "made"))
    @invariant()
    def readers_see_what_was_published_last(self) -> None:
        with self.runtime.database.tenant(self.made.tenant) as connection:
            live = connection.execute(f"SELECT * FROM {login_of(self.made.tenant)}.live").fetchone()
            assert self.runtime.audit.verify(connection, self.made.tenant).intact
        assert live is not None
        assert live["release_digest"] == self._entries()[-1]["release_digest"]

    @precondition(lambda self: hasattr(self, "made"))
    @invariant()
    def the_tenant_has_moved_on_exactly_once(self) -> None:
        moved = self._rows(
            "SELECT from_state, to_state FROM runtime.tenant_transitions WHERE tenant_id = %s ORDER BY at"
        )
        assert [(row["from_state"], row["to_state"]) for row in moved] == [("draft", "review")]


@pytest.fixture
def racing(tenants: TwoTenants) -> type[Racing]:
    Racing.runtime = tenants.runtime
    Racing.done.clear()
    return Racing


def test_hundreds_of_people_and_runs_at_once_lose_nothing_double_nothing_and_bypass_nothing(
    racing: type[Racing],
) -> None:
    run_state_machine_as_test(
        racing,
        settings=settings(
            max_examples=4,
            stateful_step_count=8,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
    assert racing.done.total() >= LEAST_OPERATIONS
    assert all(racing.done[act] for act in ACTS)


def _listed_and_about_to_publish_again(tenants: TwoTenants) -> TenantId:
    runtime, made = tenants.runtime, releasable(tenants.runtime)
    tenant = made.tenant
    go_live(made)
    request_listing(runtime, tenant, ListingTerms("public", "none", resell=False), requested_by="kanya")
    approve_everything(runtime, tenant)
    list_approved(runtime, tenant, run_by="run")
    made.say(3, ("name", "en", "New Arena"), entity="can-3", compare=False)
    settle(made)
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)
    return tenant


def test_a_listing_is_taken_down_while_the_next_release_is_published_and_neither_fails(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the release's history entry and its being shown, somebody withdraws the listing of the one before."""
    runtime, tenant = tenants.runtime, _listed_and_about_to_publish_again(tenants)
    record = publishing._record
    withdrawals: list[Future[bool]] = []

    def record_while_somebody_withdraws(*given: Any) -> int:
        number = record(*given)
        withdrawals.append(
            pool.submit(withdraw, runtime, tenant, person="anan", role="tenant-admin", reason="Renovation")
        )
        wait_for_a_waiting_lock(runtime)
        return number

    monkeypatch.setattr(publishing, "_record", record_while_somebody_withdraws)
    with ThreadPoolExecutor(1) as pool:
        assert publish_approved(runtime, tenant, run_by="run")["version"] == "1.1.0"
        assert withdrawals[0].result() is False
    assert [each["step"] for each in listing_history(runtime, tenant)] == ["listed", "withdrawn"]


def test_while_a_releases_rows_are_laid_down_the_tenants_other_work_goes_on(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large release takes minutes to lay down: the listing of the one before is taken down in the middle of that."""
    runtime, tenant = tenants.runtime, _listed_and_about_to_publish_again(tenants)
    load = publishing._load

    def load_while_others_work(*given: Any) -> None:
        load(*given)
        work = pool.submit(withdraw, runtime, tenant, person="anan", role="tenant-admin", reason="Renovation")
        assert work.result(timeout=30) is True

    monkeypatch.setattr(publishing, "_load", load_while_others_work)
    with ThreadPoolExecutor(1) as pool:
        assert publish_approved(runtime, tenant, run_by="run")["version"] == "1.1.0"
    assert [each["step"] for each in listing_history(runtime, tenant)] == ["listed", "withdrawn"]


def test_a_release_with_a_source_that_is_withdrawn_while_its_rows_are_laid_down_is_not_published(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, tenant = tenants.runtime, releasable(tenants.runtime).tenant
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)
    load = publishing._load

    def load_while_a_source_is_withdrawn(*given: Any) -> None:
        load(*given)
        wrong = SourceId(f"src-{2:016x}")
        withdraw_source(runtime, tenant, wrong, person="anan", role="tenant-admin", reason="The wrong file")

    monkeypatch.setattr(publishing, "_load", load_while_a_source_is_withdrawn)
    with pytest.raises(ReleaseRefusedError, match="no-source-withdrawn"):
        publish_approved(runtime, tenant, run_by="run")
    with runtime.database.platform() as connection:
        assert live_release(connection, tenant) is None
        assert state_of(connection, tenant) is TenantState.DRAFT
    assert {each.standing.state for each in queue.list_requests(runtime, tenant)} == {RequestState.APPROVED}


def test_a_release_is_published_while_the_next_is_compared_and_that_one_is_built_on_it(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large tenant comparing takes minutes, for which neither publishing nor going back waits."""
    runtime, made = tenants.runtime, releasable(tenants.runtime)
    request_release(runtime, made.tenant, requested_by="kanya")
    approve_everything(runtime, made.tenant)
    made.say(3, ("name", "en", "New Arena"), entity="can-3", compare=False)
    settle(made)
    compare = building._changes
    versions: list[str] = []

    def compare_while_another_is_published(*given: Any) -> ChangeCounts:
        if not versions:
            work = pool.submit(publish_approved, runtime, made.tenant, run_by="run")
            versions.append(work.result(timeout=30)["version"])
        return compare(*given)

    monkeypatch.setattr(building, "_changes", compare_while_another_is_published)
    with ThreadPoolExecutor(1) as pool:
        candidate = building.build_candidate(runtime, made.tenant, requested_by="kanya")
    versions.append(candidate.release.version)
    assert versions == ["1.0.0", "1.1.0"]
    assert candidate.changes == ChangeCounts(entities_added=1)


def test_a_tenant_is_changed_while_its_first_release_is_published_and_neither_fails(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the use of the approvals and the draft's going to review, somebody changes what is known of it."""
    runtime, tenant = tenants.runtime, releasable(tenants.runtime).tenant
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)
    changes: list[Future[dict[str, Any]]] = []

    def state_while_somebody_changes(*given: Any) -> TenantState:
        changes.append(pool.submit(update_tenant, runtime, tenant, person="anan", domain="b.example"))
        wait_for_a_waiting_lock(runtime)
        return state_of(*given)

    monkeypatch.setattr("tenant_pipeline.services.going_live.releases.state_of", state_while_somebody_changes)
    with ThreadPoolExecutor(1) as pool:
        assert publish_approved(runtime, tenant, run_by="run")["version"] == "1.0.0"
        changed = changes[0].result()
    assert (changed["domain"], changed["status"]) == ("b.example", "review")


def test_a_link_is_held_to_be_wrong_while_it_is_judged_and_whoever_is_later_is_told(
    tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a judgement and what follows from it for the conflict, a reviewer of the conflict signs."""
    runtime, made = tenants.runtime, new_tenant(tenants.runtime)
    source = made.say(1, ("maximumAttendeeCapacity", "", "100"))
    made.say(2, ("maximumAttendeeCapacity", "", "900"))
    made.link()
    item = made.item()
    set_state = judgements._set_state
    signatures: list[Future[dict[str, Any]]] = []

    def set_state_while_somebody_signs(*given: Any) -> None:
        set_state(*given)
        signatures.append(
            pool.submit(
                resolve, runtime, made.tenant, item["conflict_id"], digest=item["candidates_digest"],
                choice=Choice(Decision.LINK_WRONG), signer=ANN,
            )
        )  # fmt: skip
        wait_for_a_waiting_lock(runtime)

    monkeypatch.setattr(judgements, "_set_state", set_state_while_somebody_signs)
    word = {"person": "bob", "role": "reviewer", "reason": "I have been to both"}
    with ThreadPoolExecutor(1) as pool:
        judged = judgements.judge(runtime, made.tenant, HALL, f"home-of-{source}", Match.DIFFERENT, **word)
        with pytest.raises(DecisionOutdatedError, match="was judged to be another one"):
            signatures[0].result()
    assert [each.change for each in judged.changes] == ["split"]


def test_a_feed_that_ends_while_somebody_pauses_it_has_ended(tenants: TwoTenants) -> None:
    runtime, tenant = tenants.runtime, new_tenant(tenants.runtime).tenant
    halls = NewFeed("Halls", "https://halls.example/all.csv", Origin.REGULATOR, Schedule("0 3 * * *", "UTC"))
    feed = add_feed(runtime, tenant, halls, actor="test")
    with ThreadPoolExecutor(1) as pool:
        with runtime.database.tenant(tenant) as connection:
            assert end_feed_of(connection, tenant, feed.source_id, actor="ann")
            paused = pool.submit(set_status, runtime, tenant, feed.id, "paused", actor="bob")
            wait_for_a_waiting_lock(runtime)
        with pytest.raises(InputError, match="has ended"):
            paused.result()
