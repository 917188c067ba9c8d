"""Coverage is counted once for each change of the knowledge base, and never told as it was before one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.reading import list_conflicts
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.coverage import counting, kept_counts
from tenant_pipeline.services.coverage.reading import (
    coverage_outdated_since,
    explain_coverage,
    read_coverage,
    verdict_of_tenant,
)
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.judgements import judge, reverse
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tests.integration.conflict_statements import Sources, new_tenant
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.judgement_steps import CAPACITY, WORD, Tenant

LACKING = ("completeness", "language_completeness")
HALL = (("name", "th", "หอประชุม"), ("postalCode", "", "83000"))


@pytest.fixture
def sources(tenants: TwoTenants) -> Sources:
    """A tenant with one hall of one source."""
    made = new_tenant(tenants.runtime)
    made.say(1, *HALL)
    return made


@pytest.fixture
def tenant(tenants: TwoTenants, tmp_path: Path) -> Tenant:
    """A tenant whose sources go through the stages."""
    return Tenant(tenants.runtime, tmp_path)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was counted over the whole tenant within the block."""
    seen: list[str] = []
    count = counting.facts

    def watched(*arguments: Any) -> Any:
        seen.append("facts")
        return count(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(counting, "facts", watched)
        yield seen


def told(runtime: Runtime, tenant: TenantId) -> Any:
    """All that is told of coverage, of the tenant and of each of its sources."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute("SELECT id FROM runtime.tenant_sources ORDER BY id").fetchall()
    scopes = [None, *(SourceId(row["id"]) for row in rows)]
    found = [
        (scope, read.as_json(), lacks) for scope in scopes for read, lacks in explain_coverage(runtime, tenant, scope)
    ]
    return found, verdict_of_tenant(runtime, tenant)


def forget(runtime: Runtime, tenant: TenantId) -> None:
    """Let nothing that was counted before hold."""
    with runtime.database.tenant(tenant) as connection:
        connection.execute("UPDATE runtime.coverage_counts SET version = '' WHERE tenant_id = %s", (tenant,))


def told_rightly(runtime: Runtime, tenant: TenantId) -> Any:
    """What is told, which is what is told when all of it is counted anew."""
    found = told(runtime, tenant)
    forget(runtime, tenant)
    assert told(runtime, tenant) == found
    return found


def note(sources: Sources, action: str) -> None:
    with sources.runtime.database.tenant(sources.tenant) as connection:
        entry = AuditEntry(actor="test", action=action, subject="x", details={})
        sources.runtime.audit.append(connection, sources.tenant, [entry])


def test_who_looks_again_has_nothing_counted_again(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    first = told(sources.runtime, sources.tenant)
    note(sources, "statements.export")
    with counted(monkeypatch) as seen:
        assert told(sources.runtime, sources.tenant) == first
    assert not seen


@pytest.mark.parametrize("action", ["stage.complete", "conflicts.compared", "link.judged", "conflict.decided"])
def test_what_changes_the_knowledge_base_has_it_counted_again(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    told(sources.runtime, sources.tenant)
    note(sources, action)
    with counted(monkeypatch) as seen:
        told(sources.runtime, sources.tenant)
        told(sources.runtime, sources.tenant)
    assert seen == ["facts"]


def test_coverage_is_that_of_now_after_each_source_judgement_and_signature(tenant: Tenant) -> None:
    runtime = tenant.runtime
    answers = [told_rightly(runtime, tenant.id)]
    first, second = tenant.add("a", "Assembly Hall,100,,,"), tenant.add("b", "Assembly Hall,200,,,")
    answers.append(told_rightly(runtime, tenant.id))
    judged = judge(runtime, tenant.id, tenant.canonical(first), tenant.canonical(second), Match.SAME, **WORD)
    answers.append(told_rightly(runtime, tenant.id))
    for source in (first, second):
        update_conflicts(runtime, tenant.id, source)
        update_coverage(runtime, tenant.id, source)
    answers.append(told_rightly(runtime, tenant.id))
    (item,) = list_conflicts(runtime, tenant.id, source=None, property_=CAPACITY, verdict="differs", limit=9)
    signer = Signer(WORD["person"], WORD["role"], WORD["reason"])
    choice = Choice(Decision.CANDIDATE, 1)
    resolve(runtime, tenant.id, item["conflict_id"], digest=item["candidates_digest"], choice=choice, signer=signer)
    answers.append(told_rightly(runtime, tenant.id))
    reverse(runtime, tenant.id, judged.sequence, **WORD)
    answers.append(told_rightly(runtime, tenant.id))
    assert all(one != other for number, one in enumerate(answers) for other in answers[:number])


def test_who_asks_while_it_is_counted_takes_the_same_answer(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as seen, ThreadPoolExecutor(4) as executor:
        answers = list(executor.map(lambda _: read_coverage(sources.runtime, sources.tenant), range(8)))
    assert seen == ["facts"]
    assert all(answer == answers[0] for answer in answers)


def test_a_count_of_another_version_does_not_hold(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    told(sources.runtime, sources.tenant)
    forget(sources.runtime, sources.tenant)
    with counted(monkeypatch) as seen:
        told(sources.runtime, sources.tenant)
    assert seen == ["facts"]


def test_where_counting_takes_long_a_look_takes_what_was_counted_and_says_since_when(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, tenant = sources.runtime, sources.tenant
    monkeypatch.setattr(kept_counts, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(kept_counts, "TIMES_AS_LONG", 1_000_000)
    before = read_coverage(runtime, tenant, exact=False), explain_coverage(runtime, tenant, exact=False)
    assert coverage_outdated_since(runtime, tenant, explained=LACKING) is None
    sources.say(2, ("name", "zh", "大会堂"), ("telephone", "", "+6676000000"))
    with counted(monkeypatch) as seen:
        looked = read_coverage(runtime, tenant, exact=False), explain_coverage(runtime, tenant, exact=False)
        assert [each.as_json() for each in looked[0]] == [each.as_json() for each in before[0]]
        assert not seen
    for explained in ((), LACKING):
        since = coverage_outdated_since(runtime, tenant, explained=explained)
        assert since is not None
        assert since < runtime.now()
    assert coverage_outdated_since(runtime, tenant, sources.say(3, *HALL), explained=LACKING) is None
    verdict_of_tenant(runtime, tenant)
    assert coverage_outdated_since(runtime, tenant) is None
    assert read_coverage(runtime, tenant, exact=False) != before[0]


def test_after_ten_times_as_long_it_is_counted_again(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_counts, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(kept_counts, "TIMES_AS_LONG", 0)
    read_coverage(sources.runtime, sources.tenant, exact=False)
    note(sources, "stage.complete")
    with counted(monkeypatch) as seen:
        read_coverage(sources.runtime, sources.tenant, exact=False)
    assert seen == ["facts"]


def test_what_a_clock_counted_that_was_set_back_since_is_counted_again(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_counts, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(kept_counts, "TIMES_AS_LONG", 1_000_000)
    read_coverage(sources.runtime, sources.tenant, exact=False)
    with sources.runtime.database.tenant(sources.tenant) as connection:
        connection.execute("UPDATE runtime.coverage_counts SET counted_at = now() + interval '1 day'")
    note(sources, "stage.complete")
    with counted(monkeypatch) as seen:
        read_coverage(sources.runtime, sources.tenant, exact=False)
    assert seen == ["facts"]


def test_another_tenant_reads_no_count_and_writes_none(sources: Sources) -> None:
    told(sources.runtime, sources.tenant)
    with sources.runtime.database.tenant(ATTACKER) as connection:
        found = connection.execute(
            "SELECT FROM runtime.coverage_counts WHERE tenant_id = %s", (sources.tenant,)
        ).fetchall()
        written = connection.execute(
            "UPDATE runtime.coverage_counts SET answer = '{}' WHERE tenant_id = %s", (sources.tenant,)
        ).rowcount
    assert (found, written) == ([], 0)
    with pytest.raises(Exception, match="row-level security"), sources.runtime.database.tenant(ATTACKER) as connection:
        connection.execute(
            "INSERT INTO runtime.coverage_counts (tenant_id, subject, version, as_of, answer, seconds)"
            " VALUES (%s, 'x', '', 0, '{}', 0)",
            (sources.tenant,),
        )
