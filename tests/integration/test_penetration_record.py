"""No tenant goes to pilot or live before the installation was attacked as it is now, and nothing came through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.lifecycle import TenantState, TransitionRefusedError
from tenant_pipeline.pentest.attack import Attempt, Finding, Outcome
from tenant_pipeline.pentest.suite import UnderTestError, every_attack, penetration_test, report_of
from tenant_pipeline.services import lifecycle
from tenant_pipeline.services.approvals.line import operations_in_line
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.audit_trail import AuditFilter, read_audit
from tenant_pipeline.services.compliance.audit import evidence_pack
from tenant_pipeline.services.going_live.conditions import Condition, conditions_of
from tenant_pipeline.services.going_live.instances import provision_approved, request_instance
from tenant_pipeline.services.penetration_tests import VICTIM, list_tests, what_keeps_from_serving
from tenant_pipeline.services.registry import show_tenant, update_tenant
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.database import login_of
from tenant_pipeline.storage.migrations import head_version
from tests.installed import migrated_home
from tests.integration.conflict_statements import new_tenant
from tests.integration.conftest import ATTACKER
from tests.integration.penetration import isolation_tested
from tests.integration.provisioned import small_instances
from tests.integration.releasable import approve_everything, make_releasable, publish_draft
from tests.registered import registered

DAYS = 90


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    """An installation that nobody has attacked yet."""
    with migrated_home() as home, open_runtime(Settings(home=home)) as opened:
        registered(opened, ATTACKER)
        yield opened


def reasons(runtime: Runtime) -> list[str]:
    with runtime.database.platform() as connection:
        return what_keeps_from_serving(connection, DAYS)


def executes(runtime: Runtime, statement: str) -> None:
    """As a superuser who does what nobody may."""
    with runtime.database.administration() as connection:
        for each in ("DISABLE TRIGGER append_only", "NO FORCE ROW LEVEL SECURITY"):
            connection.execute(f"ALTER TABLE runtime.penetration_tests {each}".encode())
        connection.execute(statement.encode())
        for each in ("ENABLE ALWAYS TRIGGER append_only", "FORCE ROW LEVEL SECURITY"):
            connection.execute(f"ALTER TABLE runtime.penetration_tests {each}".encode())


def test_no_tenant_goes_to_pilot_before_a_test_and_nothing_that_was_signed_is_lost_by_waiting(runtime: Runtime) -> None:
    made = make_releasable(new_tenant(runtime))
    publish_draft(runtime, made.tenant)
    backend = small_instances(runtime)
    update_tenant(runtime, made.tenant, person="anan", pdpa_agreement_ref="DPA-1")
    request_instance(runtime, made.tenant, requested_by="kanya", backend=backend)
    approve_everything(runtime, made.tenant)

    (waiting,) = operations_in_line(runtime, Operation.INSTANCE, tenant=made.tenant)
    assert waiting.missing == ("no penetration test is on record; `tenant-pipeline pentest` makes one",)
    with pytest.raises(ApprovalMissingError, match="no penetration test is on record"):
        provision_approved(runtime, made.tenant, run_by="run", backend=backend)
    with pytest.raises(TransitionRefusedError, match="Isolation is not tested"), runtime.database.platform() as open_:
        lifecycle.move_on(runtime, open_, made.tenant, TenantState.PILOT, approvals=["a"], person="x", reason="x")
    assert show_tenant(runtime, made.tenant)["status"] == "review"
    audited = {each.id: each for each in evidence_pack(runtime, made.tenant, asked_by="anan").controls}
    assert audited["penetration-test"].outcome == "not met"

    number = isolation_tested(runtime)
    (ready,) = operations_in_line(runtime, Operation.INSTANCE, tenant=made.tenant)
    assert not ready.missing
    done = provision_approved(runtime, made.tenant, run_by="run", backend=backend)
    assert done["state"] == "live", done["not_live_because"]
    told = read_audit(runtime, made.tenant, AuditFilter(action="tenant.transition"), limit=2).entries
    assert [each["details"]["penetration_test"]["number"] for each in told] == [number, number]
    audited = {each.id: each for each in evidence_pack(runtime, made.tenant, asked_by="anan").controls}
    assert audited["penetration-test"].outcome == "met"
    assert audited["penetration-test"].evidence["number"] == number
    lifecycle.step_back(
        runtime, made.tenant, TenantState.SUSPENDED, person="gov", role="platform-governance", reason="x",
        backend=backend,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("otherwise", "told"),
    [
        ({"came_through": ("reading/count",)}, "something came through"),
        ({"not_tried": ("roles/log-in",)}, "could not try 1 forms"),
    ],
)
def test_a_test_in_which_not_all_held_lets_nobody_pass_until_a_whole_one_is_clean(
    runtime: Runtime, otherwise: dict[str, Any], told: str
) -> None:
    isolation_tested(runtime)
    assert reasons(runtime) == []
    isolation_tested(runtime, **otherwise)
    assert any(told in each for each in reasons(runtime))
    isolation_tested(runtime, whole=False)
    assert any(told in each for each in reasons(runtime)), "one family alone mends nothing"
    isolation_tested(runtime)
    assert reasons(runtime) == []


def test_what_comes_through_in_one_family_voids_the_whole_test_before_it(runtime: Runtime) -> None:
    isolation_tested(runtime)
    number = isolation_tested(runtime, whole=False, came_through=("api/headers",))
    (told,) = reasons(runtime)
    assert f"something came through in penetration test {number}" in told
    isolation_tested(runtime)


def test_a_test_counts_at_the_schema_that_it_attacked_and_for_so_many_days_by_the_databases_clock(
    runtime: Runtime,
) -> None:
    number = isolation_tested(runtime)
    late = replace(runtime, clock=lambda: runtime.now() + timedelta(days=10 * DAYS))
    assert reasons(late) == [], "our clock does not make it older"
    for change, told in (
        (f"at = now() - interval '{DAYS + 1} days'", "not of the last 90 days"),
        ("at = now() + interval '1 hour'", "not of the last 90 days"),
        ("at = now(), schema_revision = '0001'", "was of schema 0001"),
    ):
        executes(runtime, f"UPDATE runtime.penetration_tests SET {change} WHERE number = {number}")
        assert any(told in each for each in reasons(runtime)), change
    isolation_tested(runtime)
    assert reasons(runtime) == []


def test_a_suspended_tenant_returns_only_on_a_test_that_stands(runtime: Runtime) -> None:
    made = make_releasable(new_tenant(runtime))
    isolation_tested(runtime, came_through=("api/headers",))
    with runtime.database.platform() as connection:
        found = {each.condition: each.why_not for each in conditions_of(runtime, connection, made.tenant)}
    assert found[Condition.ISOLATION_TESTED]
    assert not found[Condition.COVERAGE_GREEN]
    isolation_tested(runtime)


def test_a_run_of_the_attacks_is_alone_and_on_record_with_who_and_what_and_in_the_audit_log(runtime: Runtime) -> None:
    attacks = [each for each in every_attack() if each.family == "statistics"]
    refused: list[UnderTestError] = []

    def another_meanwhile(_: Finding) -> None:
        with pytest.raises(UnderTestError) as another:
            penetration_test(runtime, attacks, person="eve", on_finding=lambda finding: None)
        refused.append(another.value)

    findings = penetration_test(runtime, attacks, person="wei", on_finding=another_meanwhile)
    assert len(refused) == len(attacks)
    assert all(each.remedy for each in refused)
    last = list_tests(runtime)[0]
    assert (last["person"], last["schema_revision"], last["whole"]) == ("wei", head_version(), False)
    assert (last["forms"], last["came_through"], last["not_tried"]) == (len(attacks), [], [])
    assert last["report_digest"] == report_of(findings, 0).digest
    assert len(last["code_version"]) == 16
    (entry,) = read_audit(runtime, VICTIM, AuditFilter(action="pentest.run"), limit=1).entries
    assert (entry["actor"], entry["subject"]) == ("wei", f"pentest-{last['number']}")
    assert entry["details"]["report_digest"] == last["report_digest"]
    with pytest.raises(InputError, match="somebody"):
        penetration_test(runtime, attacks[:1], person=" ", on_finding=lambda finding: None)


def test_a_report_is_whole_only_with_every_form_and_says_what_leaked_and_what_was_not_tried() -> None:
    findings = [Finding(each, (Attempt.of("a", False, "42501"),)) for each in every_attack()]
    assert report_of(findings, 1.0).whole
    assert not report_of(findings[1:], 1.0).whole
    leaking, untried, absent = (
        replace(findings[number], attempts=(Attempt("a", outcome, "x"),))
        for number, outcome in enumerate((Outcome.LEAKED, Outcome.NOT_TRIED, Outcome.NOTHING_THERE))
    )
    said = report_of([leaking, untried, absent, *findings[3:]], 1.0)
    assert said.came_through == (findings[0].attack.id,)
    assert said.not_tried == (findings[1].attack.id,), "what is not there, such as links in a bucket, hides nothing"
    assert said.whole


def test_no_tenant_reads_or_writes_the_record_and_nobody_changes_it(runtime: Runtime) -> None:
    isolation_tested(runtime)
    role, database = login_of(ATTACKER), runtime.database
    own = psycopg.conninfo.make_conninfo(database.conninfo(), user=role, password=database.password_of(role))
    for statement in (
        "SELECT * FROM runtime.penetration_tests",
        "INSERT INTO runtime.penetration_tests (person, seconds, code_version, schema_revision, whole, forms, attempts,"
        " came_through, not_tried, report_digest)"
        " VALUES ('eve', 1, 'a', 'a', true, 1, 1, '{}', '{}', repeat('a', 64))",
    ):
        with psycopg.connect(own) as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(statement.encode())
    for statement in ("UPDATE runtime.penetration_tests SET came_through = '{}'", "TRUNCATE runtime.penetration_tests"):
        with database.administration() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
