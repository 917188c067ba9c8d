"""What Dagster keeps of a tenant goes with it, also from runs over several tenants, and nothing of another goes."""

from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from tenant_pipeline.assets.partitions import TENANT_SOURCE, tenant_source_partitions
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.erasure.dagster_history import forget_history, history_left
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.dagster_database import dagster_conninfo

ERASED, OTHER = TenantId("leaving"), TenantId("leaving-not")
PARTITIONS = [f"{tenant}|src-{number}" for tenant in (ERASED, OTHER) for number in (1, 2)]


@dg.asset(partitions_def=tenant_source_partitions, backfill_policy=dg.BackfillPolicy.single_run())
def screened(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    for key in context.partition_keys:
        context.log.error(f"{key} is stopped: words of {key}")
        context.add_asset_metadata({"preview": f"words of {key}"}, partition_key=key)
    return dg.MaterializeResult()


@pytest.fixture
def instance(own_installation: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in dagster_environment(own_installation).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, PARTITIONS)
        yield instance


def words_kept(runtime: Runtime) -> dict[str, set[str]]:
    """By tenant, the tables of Dagster's in which its words stand."""
    kept: dict[str, set[str]] = {ERASED: set(), OTHER: set()}
    with psycopg.connect(dagster_conninfo(runtime.settings.dagster_dsn, runtime.database)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.execute(f'SELECT t::text FROM "{table}" AS t').fetchall()
            for tenant, where in kept.items():
                if any(f"words of {tenant}|" in row for (row,) in rows):
                    where.add(table)
    return kept


def over(instance: dg.DagsterInstance, first: str, last: str) -> str:
    tags = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}
    return dg.materialize([screened], instance=instance, tags=tags).run_id


def test_what_dagster_keeps_of_a_tenant_goes_and_nothing_of_another(
    own_installation: Runtime, instance: dg.DagsterInstance
) -> None:
    runtime = own_installation
    theirs = over(instance, PARTITIONS[2], PARTITIONS[3])
    both = over(instance, PARTITIONS[1], PARTITIONS[2])
    alone = over(instance, PARTITIONS[0], PARTITIONS[1])
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            screened.key, partition=PARTITIONS[0], metadata={"preview": f"words of {PARTITIONS[0]}"}
        )
    )
    for partition in PARTITIONS:
        words = {"found": f"words of {partition}"}
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(screened.key, "gate", passed=False, partition=partition, metadata=words)
        )
    written = runtime.settings.dagster_home / "storage" / alone / "compute_logs" / "work.err"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text("x")
    tables = {"event_logs", "asset_check_executions", "asset_keys"}
    assert words_kept(runtime)[ERASED] == tables
    before = history_left(runtime, OTHER)

    deleted = forget_history(runtime, ERASED)
    assert deleted["run"] == 1
    assert deleted["asset"] == 1
    assert not history_left(runtime, ERASED)
    assert words_kept(runtime) == {ERASED: set(), OTHER: tables - {"asset_keys"}}
    assert not written.parent.exists()
    assert [instance.get_run_by_id(run) is not None for run in (theirs, both, alone)] == [True, True, False]
    assert history_left(runtime, OTHER)["run"] == 1
    assert history_left(runtime, OTHER)["evaluation"] == before["evaluation"]
    latest = instance.get_latest_materialization_event(screened.key)
    assert latest is not None
    assert latest.asset_materialization.partition == PARTITIONS[2]
    assert not forget_history(runtime, ERASED)


def test_where_nothing_was_run_there_is_nothing_to_forget(own_installation: Runtime) -> None:
    assert not forget_history(own_installation, TenantId("never-ran"))
