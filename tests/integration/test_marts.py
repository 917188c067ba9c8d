"""The marts tell of two tenants what their services tell, to governance and to nobody else."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient

from tenant_pipeline.api.application import create_application
from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.business_calendar import BANGKOK
from tenant_pipeline.core.cost.month import Month
from tenant_pipeline.core.digest import Sha256, sha256_of_bytes
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError, SettingsError
from tenant_pipeline.core.feed.profile import FeedProfile
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.gate import Band, Gate, GateVerdict
from tenant_pipeline.core.origin import Origin, Unit, UnitFile, UnitMode
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import gates, roles
from tenant_pipeline.services.cost.billing import cost_of
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.erasure.requests import request_erasure
from tenant_pipeline.services.erasure.whole_tenant import erase_tenant
from tenant_pipeline.services.feeds.feeds import NewFeed, add_feed
from tenant_pipeline.services.feeds.versions import add_version, decide
from tenant_pipeline.services.going_live.releases import request_release
from tenant_pipeline.services.kept_units import keep_unit
from tenant_pipeline.services.marts.building import Built, build_marts
from tenant_pipeline.services.marts.drawing import draw_report
from tenant_pipeline.services.marts.erasing import forget_tenant, rows_of
from tenant_pipeline.services.marts.measuring import measure_tenants
from tenant_pipeline.services.marts.project import MartsError, manifest_file, project_folder
from tenant_pipeline.services.marts.reading import MARTS, read_marts
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.database import GOVERNANCE, PLATFORM, login_of
from tenant_pipeline.storage.database import MARTS as BUILDER
from tests.installed import migrated_home
from tests.integration.conflict_statements import Sources, new_tenant
from tests.integration.conftest import ATTACKER
from tests.integration.cost_steps import record_stage_run
from tests.integration.releasable import PEOPLE, publish_draft, releasable
from tests.registered import registered

pytestmark = pytest.mark.slow

FINDING = {
    "entity_type": "EMAIL_ADDRESS", "table": "guests", "field": "secret column", "count": 3, "max_score": 1.0,
    "sample_digest": "a" * 64, "action": "pseudonymise", "category": "", "declaration": "",
}  # fmt: skip
_READ = "SELECT actor, details FROM runtime.audit_log WHERE action = 'governance.report-read' AND actor = 'sole'"
WORDS = ("Phuket Hall", "Kata Pavilion", "ภูเก็ต", "Register of halls", "secret column", "halls.example", "A pilot")


@dataclass(frozen=True)
class World:
    """Two tenants: one has published, and an item of its matrix is open; the other waits for its people. What stands in
    a third is from when the database's clock was ahead, as are the first one's requests."""

    runtime: Runtime
    one: Sources
    other: Sources
    third: Sources
    version: str
    built: Built

    def mart(self, name: str, tenant: TenantId) -> list[dict[str, Any]]:
        """A mart's rows of a tenant, as governance's login reads them."""
        with self.runtime.database.governance() as connection:
            return connection.execute(
                f"SELECT * FROM governance.{name} WHERE tenant_id = %s ORDER BY {MARTS[name]}", (tenant,)
            ).fetchall()

    def login(self, role: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection as one of the database's logins, nothing of ours in between."""
        database = self.runtime.database
        return psycopg.connect(make_conninfo(database.conninfo(), user=role, password=database.password_of(role)))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with migrated_home() as home, open_runtime(Settings(home=home)) as runtime:
        registered(runtime, ATTACKER)
        one, other = releasable(runtime), releasable(runtime)
        with pytest.raises(NotFoundError, match="not been built"):
            read_marts(runtime, person="gov", reason="Too early")
        version = publish_draft(runtime, one.tenant)
        dispute(one)
        screen(one)
        record_stage_run(runtime, one.tenant, 7200, 2_000_000, runtime.now().isoformat())
        request_release(runtime, other.tenant, requested_by="kanya")
        feed = NewFeed("Halls", "https://halls.example/all.csv", Origin.REGULATOR, Schedule("0 3 * * *", "UTC"))
        add_feed(runtime, other.tenant, feed, actor="test")
        fetch(runtime, other.tenant, Origin.PRESS, accepted=False)
        fetch(runtime, other.tenant, Origin.CANONICAL, accepted=True)
        third = new_tenant(runtime)
        third.say(1, ("postalCode", "", "83000"))
        third.say(2, ("postalCode", "", "83110"))
        put_clock_right(third, one)
        yield World(runtime, one, other, third, version, build_marts(runtime))


def dispute(made: Sources) -> None:
    """An item that has been open for ten days, with a source of the first tier in it."""
    made.say(3, ("postalCode", "", "83110"), tier=1, title="Another register")
    with made.runtime.database.administration() as connection:
        connection.execute(
            "UPDATE runtime.conflicts SET opened_at = now() - interval '10 days'"
            " WHERE tenant_id = %s AND status = 'open'",
            (made.tenant,),
        )


def put_clock_right(opened: Sources, asked: Sources) -> None:
    """The items of one were opened, and the requests of another were made, an hour from now."""
    with opened.runtime.database.administration() as connection:
        connection.execute("ALTER TABLE runtime.approval_requests DISABLE TRIGGER append_only")
        connection.execute(
            "UPDATE runtime.conflicts SET opened_at = now() + interval '1 hour' WHERE tenant_id = %s", (opened.tenant,)
        )
        connection.execute(
            "UPDATE runtime.approval_requests SET requested_at = now() + interval '1 hour' WHERE tenant_id = %s",
            (asked.tenant,),
        )
        connection.execute("ALTER TABLE runtime.approval_requests ENABLE ALWAYS TRIGGER append_only")


def screen(made: Sources) -> None:
    """The PII gate has closed for a source, and governance answers for it."""
    source, digest = SourceId(f"src-{1:016x}"), Sha256("b" * 64)
    with made.runtime.database.tenant(made.tenant) as connection:
        gates.record_verdict(
            connection, made.tenant, source, digest, GateVerdict(Gate.PII, Band.FAIL, ("3 EMAIL_ADDRESS",), (FINDING,))
        )
    gates.override(
        made.runtime, made.tenant, source, Gate.PII, person="gov", role="platform-governance", reason="A pilot",
        expires_at=made.runtime.now() + timedelta(days=1),
    )  # fmt: skip


def fetch(runtime: Runtime, tenant: TenantId, origin: Origin, *, accepted: bool) -> None:
    """A feed whose source is 300 days old, with a version of 20 days ago, and one of now that was held first."""
    added = NewFeed("Daily", f"https://{origin}.example/all.csv", origin, Schedule("0 3 * * *", "UTC"))
    feed = add_feed(runtime, tenant, added, actor="test")
    for days, reasons in ((300, ()), (20, ()), (0, ("shrunk: from 10 rows to 1",))):
        then = replace(runtime, clock=lambda days=days: datetime.now(UTC) - timedelta(days=days))
        unit = Unit(UnitMode.LINK, (UnitFile("all.csv", sha256_of_bytes(b"%d" % days), 1),))
        keep_unit(runtime.raw_zone(tenant), unit)
        with runtime.database.tenant(tenant) as connection:
            number = add_version(connection, then, feed, unit, FeedProfile(1, frozenset()), reasons)
            connection.execute(
                "UPDATE runtime.tenant_sources SET ingest_status = 'assembled',"
                " received_at = now() - interval '300 days' WHERE tenant_id = %s AND id = %s",
                (tenant, feed.source_id),
            )
    decision = "accept" if accepted else "refuse"
    decide(runtime, tenant, feed.id, number, decision, person="rin", role="reviewer", reason="Looked at")


def test_every_mart_is_built_and_every_test_holds(world: World) -> None:
    assert world.built.marts == len(MARTS)
    assert world.built.tests > 80
    assert [row["tenant_id"] for row in world.mart("tenants", world.one.tenant)] == [world.one.tenant]


def test_coverage_is_what_the_tenant_itself_is_shown(world: World) -> None:
    for made in (world.one, world.other):
        told = {
            row["dimension"]: (row["numerator"], row["denominator"], row["score"], row["band"], row["counts_as"])
            for row in world.mart("coverage", made.tenant)
            if row["is_latest"]
        }
        shown = {each.dimension.id: each for each in read_coverage(world.runtime, made.tenant)}
        assert told == {
            name: (
                each.found.numerator, each.found.denominator, each.found.score, each.found.band.value,
                each.counts_as.value,
            )
            for name, each in shown.items()
        }  # fmt: skip


def test_conflicts_are_told_by_age_tier_and_resolution(world: World) -> None:
    (row,) = [row for row in world.mart("conflicts", world.one.tenant) if row["resolution"] == "open"]
    assert (row["age"], row["tier"], row["items"], row["items_for_a_person"]) == ("7 to 30 days", 1, 1, 0)
    assert row["most_days"] == pytest.approx(10, abs=0.1)
    assert [row for row in world.mart("conflicts", world.other.tenant) if row["resolution"] == "open"] == []


def test_reviews_are_told_against_the_time_for_an_answer(world: World) -> None:
    wanted = ("requests", "waiting", "waiting_too_long", "answered_in_time", "answered_late", "expired")
    for made, expected in ((world.one, (1, 0, 0, 1, 0, 0)), (world.other, (1, 1, 0, 0, 0, 0))):
        rows = world.mart("review_sla", made.tenant)
        assert {row["gate"] for row in rows} == {"gate-review", "gate-conflict-resolution", "gate-go-live"}
        assert {tuple(row[name] for name in wanted) for row in rows} == {expected}
    assert 0 <= world.mart("review_sla", world.one.tenant)[0]["median_hours"] < 0.1


def test_no_time_is_negative_after_the_databases_clock_was_put_right(world: World) -> None:
    (row,) = world.mart("conflicts", world.third.tenant)
    assert (row["resolution"], row["age"], row["most_days"]) == ("open", "under 1 day", 0)
    assert {row["most_hours"] for row in world.mart("review_sla", world.one.tenant)} == {0}


def test_personal_data_is_told_by_kind_and_count_and_overrides_beside_verdicts(world: World) -> None:
    (found,) = world.mart("pii_findings", world.one.tenant)
    assert (found["entity_type"], found["action"], found["sources"], found["places"], found["findings"]) == (
        "EMAIL_ADDRESS", "pseudonymise", 1, 1, 3,
    )  # fmt: skip
    (verdict,) = world.mart("gate_verdicts", world.one.tenant)
    wanted = ("gate", "sources_judged", "passed", "warned", "failed", "overrides_given", "overrides_in_force")
    assert tuple(verdict[name] for name in wanted) == ("pii", 1, 0, 0, 1, 1, 1)


def test_sources_and_feeds_are_told_by_origin(world: World) -> None:
    rows = {row["origin"]: row for row in world.mart("source_freshness", world.other.tenant)}
    assert (rows["partner-doc"]["sources"], rows["partner-doc"]["sources_assembled"]) == (2, 2)
    assert (rows["partner-doc"]["feeds"], rows["regulator"]["feeds"], rows["regulator"]["sources"]) == (0, 1, 0)
    # By the version that was taken in last, not by the first, nor by one that was refused.
    assert rows["press"]["days_since_last_received"] == pytest.approx(20, abs=0.1)
    assert rows["canonical"]["days_since_last_received"] == pytest.approx(0, abs=0.1)


def test_releases_are_told_in_order(world: World) -> None:
    (row,) = world.mart("release_history", world.one.tenant)
    assert (row["number"], row["version"], row["entities"], row["is_live"]) == (1, world.version, 2, True)
    assert world.mart("release_history", world.other.tenant) == []


def test_cost_is_what_the_price_table_says(world: World) -> None:
    cost = cost_of(world.runtime, world.one.tenant, Month.of(world.runtime.now()))
    told = {row["item"]: (row["amount"], row["currency"]) for row in world.mart("cost", world.one.tenant)}
    assert told == {line.item: (line.amount, cost.currency) for line in cost.lines}
    assert sum((amount for amount, _ in told.values()), Decimal(0)).quantize(Decimal("0.01")) == cost.total > 27


def test_audit_entries_are_counted(world: World) -> None:
    built_at = world.mart("tenants", world.one.tenant)[0]["built_at"]
    with world.runtime.database.platform() as connection:
        row = connection.execute(
            "SELECT count(*) AS entries FROM runtime.audit_log WHERE tenant_id = %s AND at <= %s",
            (world.one.tenant, built_at),
        ).fetchone()
    assert row is not None
    assert sum(row["entries"] for row in world.mart("audit_counts", world.one.tenant)) == row["entries"] > 10


def test_nothing_in_a_mart_is_what_a_source_says_or_who_somebody_is(world: World) -> None:
    told = json.dumps({mart: world.mart(mart, world.one.tenant) for mart in MARTS}, default=str, ensure_ascii=False)
    assert [word for word in (*WORDS, *PEOPLE, "gail") if re.search(rf"\b{re.escape(word)}\b(?!-)", told)] == [
        word for word in PEOPLE if word in ("founder",) and re.search(rf"\b{word}\b(?!-)", told)
    ]


def test_only_governance_reads_marts_and_only_their_builder_writes_them(world: World) -> None:
    for role in (login_of(world.one.tenant), login_of(ATTACKER), PLATFORM):
        with world.login(role) as connection:
            for mart in MARTS:
                with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(f"SELECT 1 FROM governance.{mart}")
    with world.login(GOVERNANCE) as connection:
        for statement in ("DELETE FROM governance.cost", "DROP TABLE governance.cost", "CREATE TABLE governance.x ()"):
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT value FROM runtime.statements", "SELECT name FROM runtime.tenants",
        "SELECT title FROM runtime.tenant_sources", "SELECT candidates FROM runtime.conflicts",
        "SELECT value FROM runtime.conflict_signatures", "SELECT approver FROM runtime.approvals",
        "SELECT details FROM runtime.audit_log", "SELECT actor FROM runtime.audit_log", "SELECT url FROM runtime.feeds",
        "SELECT person FROM runtime.gate_overrides", "SELECT * FROM runtime.tenant_user_roles",
        "UPDATE runtime.tenants SET tier = tier", "SELECT app.my_tenant()", "CREATE SCHEMA mine",
    ],
)  # fmt: skip
def test_the_builder_reads_only_what_the_marts_take(world: World, statement: str) -> None:
    with world.login(BUILDER) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_a_person_reads_of_the_tenants_that_they_govern_and_each_is_told(world: World) -> None:
    with pytest.raises(NotAllowedError):
        read_marts(world.runtime, person="anan", reason="Curious")
    with pytest.raises(InputError):
        read_marts(world.runtime, person="gov", reason=" ")
    roles.grant_role(world.runtime, world.other.tenant, person="sole", role="platform-governance", granted_by="test")
    read = read_marts(world.runtime, person="sole", reason="The monthly look")
    assert {row["tenant_id"] for rows in read.values() for row in rows} == {world.other.tenant}
    logged = world.other.rows(_READ)
    assert [(row["actor"], row["details"]["reason"]) for row in logged] == [("sole", "The monthly look")]
    assert world.one.rows(_READ) == []


def test_the_report_is_one_page_that_loads_nothing_and_draws_every_mart(world: World) -> None:
    page = draw_report(world.runtime, person="gov", reason="The monthly look")
    assert page.count("<h2>") == 8
    assert page.count("<svg") >= 8
    assert world.one.tenant in page
    assert not re.search(r"<script|<img|https?://|url\(", page)


def test_the_api_gives_the_report_to_governance_only(world: World) -> None:
    issuer, path = LocalIssuer(world.runtime), f"/api/tenant/{world.one.tenant}/governance/report"

    def asked(person: str, tenant: TenantId) -> httpx.Response:
        token = issuer.access_token(person, tenant, timedelta(minutes=5))
        return client.get(path, headers={"Authorization": f"Bearer {token}"})

    with TestClient(create_application(world.runtime)) as client:
        assert client.get(path).status_code == 401
        assert asked("anan", world.one.tenant).status_code == 403
        assert asked("gov", world.other.tenant).status_code == 404
        given = asked("gov", world.one.tenant)
    assert (given.status_code, given.headers["cache-control"]) == (200, "no-store")
    assert given.headers["content-type"].startswith("text/html")
    assert "Governance report" in given.text


def test_a_tenant_is_measured_again_only_when_something_has_happened_in_it(world: World) -> None:
    measure_tenants(world.runtime)
    assert measure_tenants(world.runtime) == []
    roles.grant_role(world.runtime, world.other.tenant, person="new", role="viewer", granted_by="test")
    assert measure_tenants(world.runtime) == [world.other.tenant]


def test_a_month_is_measured_once_more_when_it_has_ended(world: World) -> None:
    tenant = world.other.tenant

    def measured(at: datetime, month: Month) -> dict[str, Decimal]:
        measure_tenants(replace(world.runtime, clock=lambda: at))
        rows = world.other.rows(f"SELECT * FROM runtime.cost_history WHERE month = '{month.first_day()}'")
        return {row["item"]: row["quantity"] for row in rows}

    def told(month: Month) -> dict[str, Decimal]:
        lines = cost_of(world.runtime, tenant, month).lines
        return {line.item: line.quantity for line in lines}

    november, december = Month(2025, 11), Month(2025, 12)
    early = measured(november.ends - timedelta(hours=19), november)
    record_stage_run(world.runtime, tenant, 3600, 1_000_000, (november.ends - timedelta(hours=4)).isoformat())
    record_stage_run(world.runtime, tenant, 3600, 1_000_000, (november.ends + timedelta(hours=4)).isoformat())
    assert early != told(november)
    assert measured(november.ends + timedelta(hours=5), november) == told(november)
    assert measured(november.ends + timedelta(hours=29), december) == told(december)
    record_stage_run(world.runtime, tenant, 3600, 1_000_000, (november.ends - timedelta(hours=3)).isoformat())
    assert measured(november.ends + timedelta(hours=53), november) != told(november), "once, and then it stands"
    # The installation did not run in the month before, in which the tenant was there already.
    later = Month.of(world.runtime.now() + timedelta(days=45))
    assert measured(later.ends + timedelta(days=1), later) == told(later)


def test_every_mart_has_a_contract_and_every_column_is_described_as_it_is(world: World) -> None:
    manifest = json.loads(manifest_file(world.runtime.settings).read_text())
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    marts = {name: node for name, node in models.items() if not name.startswith("stg_")}
    assert set(marts) == set(MARTS)
    assert {node["config"]["materialized"] for name, node in models.items() if name not in marts} == {"ephemeral"}
    with world.runtime.database.marts() as connection:
        for name, node in marts.items():
            assert node["config"]["contract"]["enforced"], name
            assert node["description"], name
            described = {
                column: about["data_type"] for column, about in node["columns"].items() if about["description"]
            }
            there = connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'governance' AND table_name = %s",
                (name,),
            ).fetchall()
            assert described == {row["column_name"]: row["data_type"] for row in there}
    exposed = [set(each["depends_on"]["nodes"]) for each in manifest["exposures"].values()]
    every = {node["unique_id"] for node in marts.values()}
    assert exposed == [every] * 2
    last = marts["last_build"]
    assert {*last["depends_on"]["nodes"], last["unique_id"]} == every


def test_the_project_is_found_by_its_setting_or_named_as_missing(tmp_path: Path) -> None:
    assert (project_folder(Settings(home=tmp_path)) / "profiles.yml").is_file()
    with pytest.raises(SettingsError, match="no dbt project"):
        project_folder(Settings(home=tmp_path, dbt_project=tmp_path))


def test_a_test_that_does_not_hold_leaves_no_mart_old_and_a_build_that_fails_no_new_date(
    world: World, tmp_path: Path
) -> None:
    runtime, project = world.runtime, tmp_path / "project"
    shutil.copytree(project_folder(runtime.settings), project, ignore=shutil.ignore_patterns("target"))
    (project / "tests/nobody_is_a_tenant.sql").write_text("select tenant_id from {{ ref('tenants') }}")
    cost = project / "models/marts/cost.sql"
    cost.write_text(cost.read_text().replace("history.quantity,", "history.quantity / 0 as quantity,"))
    with runtime.database.marts() as connection:
        connection.execute("UPDATE governance.last_build SET built_at = built_at - interval '3 days'")
    whole, before = world.mart("last_build", world.one.tenant), _tables(world)
    settings = runtime.settings.model_copy(update={"dbt_project": project})
    with pytest.raises(MartsError, match=r"\.nobody_is_a_tenant: Got .*\.cost: Database Error"):
        build_marts(replace(runtime, settings=settings))
    after = _tables(world)
    assert {mart for mart in MARTS if before[mart] == after[mart]} == {"cost", "last_build"}
    assert world.mart("last_build", world.one.tenant) == whole
    built = f"marts built {whole[0]['built_at'].astimezone(BANGKOK):%Y-%m-%d %H:%M} in Bangkok"
    assert built in draw_report(runtime, person="gov", reason="The monthly look")


def _tables(world: World) -> dict[str, int]:
    """Which table each mart is: a build exchanges it for another."""
    with world.runtime.database.administration() as connection:
        rows = connection.execute("SELECT relname, oid FROM pg_class WHERE relnamespace = 'governance'::regnamespace")
        return {row["relname"]: row["oid"] for row in rows}


def test_an_erased_tenant_is_in_no_mart_and_dagster_builds_them_without_it_and_shows_what_does_not_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, tenant = world.runtime, world.one.tenant
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(runtime.settings.home))
    request = request_erasure(runtime, tenant, person="anan", role="tenant-admin", reason="The tenant leaves")
    done = erase_tenant(runtime, tenant, request, person="gov", role="platform-governance")
    assert done.steps["marts"]["rows"] > 10
    assert done.steps["proof"]["rows_in_marts"] == rows_of(runtime, tenant) == forget_tenant(runtime, tenant) == 0
    kept = rows_of(runtime, world.other.tenant)
    with runtime.database.administration() as connection:
        connection.execute("ALTER TABLE runtime.tenants DROP CONSTRAINT tenants_status_check")
        connection.execute("UPDATE runtime.tenants SET status = 'unheard-of' WHERE id = %s", (world.other.tenant,))

    from tenant_pipeline.assets.marts import governance_marts
    from tenant_pipeline.resources.runtime import RuntimeAccess

    built = dg.materialize([governance_marts], resources={"runtime": RuntimeAccess(runtime)}, raise_on_error=False)
    (failure,) = (event.step_failure_data for event in built.all_events if event.is_step_failure)
    assert {
        event.asset_key.to_user_string() for event in built.get_asset_materialization_events() if event.asset_key
    } == {f"governance/{mart}" for mart in MARTS}
    checks = built.get_asset_check_evaluations()
    assert len(checks) > 80
    (failed,) = (check for check in checks if not check.passed)
    assert (failed.asset_key.to_user_string(), failed.severity) == ("governance/tenants", dg.AssetCheckSeverity.ERROR)
    assert failure.user_failure_data is not None
    assert failed.check_name in str(failure.user_failure_data.description)
    assert rows_of(runtime, tenant) == 0
    assert rows_of(runtime, world.other.tenant) >= kept > 10
