"""A fault of ours in one source's stage stops that source, says so, and is nobody else's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from psycopg import sql

from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.definitions import defs
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.uploads import NORMALISE_SOURCES, range_tags
from tenant_pipeline.services import code_version, normalisation
from tenant_pipeline.services.conflicts import matrix
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.services.sources import Source, add_source, get_source
from tenant_pipeline.services.withdrawals import withdraw_source
from tenant_pipeline.storage.database import login_of
from tests.integration.conftest import TwoTenants
from tests.integration.feed_steps import registered_tenant

SECRET = "canary-of-a-value"
Key = tuple[TenantId, SourceId]


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def sources(runtime: Runtime, tmp_path: Path) -> list[Source]:
    """Two sources of each of two tenants, one tenant's after the other's."""
    added = []
    for tenant in (registered_tenant(runtime), registered_tenant(runtime)):
        for number in range(2):
            file = tmp_path / f"{tenant}-{number}.csv"
            file.write_text(f"licence_no,venue_name_en,postcode\nK-{number},Hall {number},83000\n")
            added.append(
                add_source(
                    runtime, tenant, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(file)],
                    title="Halls", actor="test",
                )
            )  # fmt: skip
    return added


@contextmanager
def instance_of(sources: list[Source]) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, [partition_key(each.tenant, each.id) for each in sources])
        yield instance


def run_over(runtime: Runtime, instance: dg.DagsterInstance, sources: list[Source]) -> dg.ExecuteInProcessResult:
    return defs.resolve_job_def(NORMALISE_SOURCES).execute_in_process(
        instance=instance,
        tags=range_tags(sources),
        resources={"runtime": RuntimeAccess(runtime)},
        raise_on_error=False,
    )


def known(runtime: Runtime, source: Source) -> Source:
    with runtime.database.tenant(source.tenant) as connection:
        return get_source(connection, source.tenant, source.id)


def entries(runtime: Runtime, source: Source, action: str) -> list[dict[str, Any]]:
    with runtime.database.tenant(source.tenant) as connection:
        return connection.execute(
            "SELECT subject, details FROM runtime.audit_log WHERE tenant_id = %s AND action = %s ORDER BY sequence",
            (source.tenant, action),
        ).fetchall()


def failing_for(real: Callable[..., Any], culprit: Source, error: BaseException) -> Callable[..., Any]:
    """The stage's own function, which fails for one source."""

    def stage(work: normalisation.StageWork, *further: Any) -> Any:
        if work.source.id == culprit.id:
            raise error
        return real(work, *further)

    return stage


def log_of(instance: dg.DagsterInstance, run_id: str) -> str:
    return "\n".join(f"{each.user_message} {each.message}" for each in instance.all_logs(run_id))


def test_a_stage_that_raises_what_nobody_foresaw_stops_its_source_alone_and_says_where(
    runtime: Runtime, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    culprit, others = sources[1], [sources[0], *sources[2:]]
    real = normalisation._STAGE_FUNCTIONS[Stage.MAP]
    functions = {**normalisation._STAGE_FUNCTIONS, Stage.MAP: failing_for(real, culprit, KeyError(SECRET))}
    monkeypatch.setattr(normalisation, "_STAGE_FUNCTIONS", functions)
    with instance_of(sources) as instance:
        result = run_over(runtime, instance, sources)
        assert result.success, "a source that stopped is an outcome"
        assert [known(runtime, each).ingest_status for each in others] == ["waiting"] * 3
        told = log_of(instance, result.run_id)
        for part in (sources[:1], sources[2:]):
            assert run_over(runtime, instance, part).success
    assert [known(runtime, each).ingest_status for each in others] == ["assembled"] * 3
    assert all(known(runtime, each).coverage_score is not None for each in others)
    stopped = known(runtime, culprit)
    assert (stopped.ingest_stage, stopped.ingest_status) == ("map", "stopped")
    (entry,) = entries(runtime, culprit, "stage.stopped")
    assert entry["subject"] == f"{culprit.id}:map"
    hindrance = stopped.hindrance
    assert hindrance is not None
    assert (hindrance["code"], hindrance["stage"], hindrance["run"]) == ("stage-fault", "map", result.run_id)
    assert "KeyError" in hindrance["what"]
    assert result.run_id in hindrance["remedy"] + hindrance["where"]
    assert entry["details"] == {name: said for name, said in hindrance.items() if name != "where"}
    assert "test_source_faults.py" in told, "the run's log has the trace"
    assert SECRET not in told + str(hindrance) + str(entry)


def test_what_was_assembled_in_a_run_that_went_on_without_another_is_judged_in_the_next(
    runtime: Runtime, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    culprit, others = sources[1], [sources[0], *sources[2:]]
    real = normalisation._STAGES_IN_TRANSACTION[Stage.ASSEMBLE]
    functions = {**normalisation._STAGES_IN_TRANSACTION, Stage.ASSEMBLE: failing_for(real, culprit, KeyError(SECRET))}
    monkeypatch.setattr(normalisation, "_STAGES_IN_TRANSACTION", functions)
    with instance_of(sources) as instance:
        assert run_over(runtime, instance, sources).success
        assert [known(runtime, each).ingest_status for each in others] == ["waiting"] * 3
        for part in (sources[:1], sources[2:]):
            assert run_over(runtime, instance, part).success
    assert [known(runtime, each).ingest_status for each in others] == ["assembled"] * 3
    assert all(known(runtime, each).coverage_score is not None for each in others)
    stopped = known(runtime, culprit)
    assert (stopped.ingest_stage, stopped.ingest_status) == ("assemble", "stopped")


def test_what_a_killed_run_left_assembled_is_judged_though_another_source_stops_early_in_the_next_run(
    runtime: Runtime, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    culprit, unjudged, judged = sources[1], [sources[0], sources[2]], sources[3]
    for each in (*unjudged, judged):
        for stage in STAGES:
            normalisation.run_stage(runtime, each.tenant, each.id, stage)
    update_conflicts(runtime, judged.tenant, judged.id)
    update_coverage(runtime, judged.tenant, judged.id)
    real = normalisation._STAGE_FUNCTIONS[Stage.MAP]
    functions = {**normalisation._STAGE_FUNCTIONS, Stage.MAP: failing_for(real, culprit, KeyError(SECRET))}
    monkeypatch.setattr(normalisation, "_STAGE_FUNCTIONS", functions)
    with instance_of(sources) as instance:
        assert run_over(runtime, instance, sources).success
    assert [known(runtime, each).ingest_status for each in unjudged] == ["waiting"] * 2
    assert known(runtime, judged).ingest_status == "assembled"


def test_a_source_that_was_withdrawn_keeps_no_other_of_its_range_from_being_judged_by_what_holds_now(
    runtime: Runtime, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn, before, now = sources[1], [sources[0], sources[2]], sources[3]
    for each in sources:
        for stage in STAGES:
            normalisation.run_stage(runtime, each.tenant, each.id, stage)
        update_conflicts(runtime, each.tenant, each.id)
        update_coverage(runtime, each.tenant, each.id)
    withdraw_source(
        runtime, withdrawn.tenant, withdrawn.id, person="rin", role="platform-governance", reason="Not ours"
    )
    monkeypatch.setitem(code_version._OBLIGED_BY, code_version.COVERAGE_SCORE, ("living_city",))
    assert not update_coverage(runtime, now.tenant, now.id).repeated
    assert [known(runtime, each).ingest_status for each in (*before, now)] == ["assembled"] * 3
    with instance_of(sources) as instance:
        assert run_over(runtime, instance, sources).success
    assert [known(runtime, each).ingest_status for each in before] == ["waiting"] * 2
    assert known(runtime, now).ingest_status == "assembled", "what is through ends there, so that the line does"


def test_a_source_that_takes_long_to_link_is_assembled_where_the_server_ends_idle_transactions(
    runtime: Runtime, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, real = sources[0], normalisation._STAGES_IN_TRANSACTION[Stage.LINK]

    def slow(*given: Any) -> Any:
        time.sleep(1.5)
        return real(*given)

    functions = {**normalisation._STAGES_IN_TRANSACTION, Stage.LINK: slow}
    monkeypatch.setattr(normalisation, "_STAGES_IN_TRANSACTION", functions)
    setting = sql.SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '1s'")
    with runtime.database.administration() as connection:
        connection.execute(setting.format(sql.Identifier(login_of(source.tenant))))
    with connect(runtime.settings) as own:
        for stage in STAGES:
            normalisation.run_stage(own, source.tenant, source.id, stage)
    assert known(runtime, source).ingest_status == "assembled"


def test_a_judgement_that_fails_for_one_source_stops_it_and_the_others_are_scored(
    runtime: Runtime, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    culprit, others = sources[0], sources[1:]
    real = matrix.compare_source

    def compare(connection: Any, tenant: TenantId, source: SourceId, vocabulary: Any) -> Any:
        if source == culprit.id:
            raise ZeroDivisionError(SECRET)
        return real(connection, tenant, source, vocabulary)

    monkeypatch.setattr(matrix, "compare_source", compare)
    with instance_of(sources) as instance:
        assert run_over(runtime, instance, sources).success
        assert [known(runtime, each).ingest_status for each in others] == ["waiting"] * 3
        assert run_over(runtime, instance, others).success
    assert all(known(runtime, each).coverage_score is not None for each in others)
    stopped = known(runtime, culprit)
    assert (stopped.ingest_stage, stopped.ingest_status) == ("conflict_matrix", "stopped")
    assert stopped.hindrance is not None
    assert "ZeroDivisionError" in stopped.hindrance["what"]
