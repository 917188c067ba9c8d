"""Many tenants of many sources: Dagster's pages, the sensor's tick, and what row-level security costs.

Tenants are registered as people register them. Their sources, statements, scores and disputes, and what Dagster knows
of the partitions, are written in bulk: here the question is what it costs to look at them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dagster as dg
import psycopg
from psycopg.rows import dict_row

from benchmarks.scale.dagster_queries import ASSET_PAGE, PARTITION_HEALTH, PARTITION_STATS
from benchmarks.scale.installation import new_home, register
from benchmarks.scale.part import at_most, curve
from benchmarks.scale.running import Running, up
from benchmarks.scale.without_orchestrator import ASSETS
from tenant_pipeline.assets.partitions import TENANT_SOURCE
from tenant_pipeline.cli.dagster_environment import DSN_VARIABLE, dagster_environment
from tenant_pipeline.cli.dagster_run import dagster_instance
from tenant_pipeline.core.tenancy import TenantId, partition_key, source_id
from tenant_pipeline.resources.runtime import RuntimeAccess
from tenant_pipeline.sensors.uploads import uploads
from tenant_pipeline.services.conflicts.reading import page_of_matrix
from tenant_pipeline.services.coverage.tenant import count_evidence
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.database import Connection, Database
from tenant_pipeline.storage.statements import statements_of

ENTITIES = 20
"""Entities of a source, each with a name in two languages, a capacity and a telephone."""
NEW = (0, 1, 10, 100)
"""How many sources are new when the sensor looks."""
TIMES = 5
READ_TENANTS = 12
"""Of so many tenants is read: no more than connections are kept."""
READS, WARM = 60, 12
"""How often each is read; the first times open connections, warm caches and let driver and server settle on a plan."""

_SOURCES = """
INSERT INTO runtime.tenant_sources
       (tenant_id, id, origin, unit_mode, title, filename, unit_digest, ingest_stage, ingest_status, coverage_score,
        authority_rank, assembled_at, received_by)
SELECT tenant.id, 'src-' || lpad(to_hex(number), 16, '0'), 'partner-doc', 'single-file', 'Halls ' || number,
       number || '.csv', encode(sha256((tenant.id || number)::bytea), 'hex'), 'assemble', 'assembled', 0.8, 3, now(),
       'benchmark'
  FROM runtime.tenants AS tenant CROSS JOIN generate_series(1, %(sources)s) AS number
"""
_STATEMENTS = """
INSERT INTO runtime.statements
       (tenant_id, source_id, statement_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype,
        locator, method, valid_from, valid_to, first_seen, last_seen)
SELECT source.tenant_id, source.id, 'st-' || source.id || '-' || entity || said.property || said.lang,
       'ent-' || source.id || '-' || entity, 'can-' || lpad(entity::text, 8, '0'), 'EventVenue', said.property,
       said.property || ' of ' || entity || ' by ' || source.id, said.property || entity, said.lang, '',
       'o00001#row=' || entity, 'mapping:halls@1', '', '', source.assembled_at, source.assembled_at
  FROM runtime.tenant_sources AS source
 CROSS JOIN generate_series(1, %(entities)s) AS entity
 CROSS JOIN (VALUES ('name', 'en'), ('name', 'th'), ('maximumAttendeeCapacity', ''), ('telephone', ''))
         AS said (property, lang)
"""
_SCORES = """
INSERT INTO runtime.coverage_scores
       (tenant_id, source_id, dimension, numerator, denominator, score, band, explanation, input_digest)
SELECT tenant_id, id, dimension, 8, 10, 0.8, 'pass', 'Eight of ten.', unit_digest
  FROM runtime.tenant_sources CROSS JOIN unnest(%(dimensions)s::text[]) AS dimension
"""
_CONFLICTS = """
INSERT INTO runtime.conflicts
       (tenant_id, conflict_id, canonical_id, type, property, lang, verdict, rule, candidates, candidates_digest,
        proposed_value, proposed_rule, explanation, needs_person, status, updated_by_source)
SELECT tenant.id, 'con-' || entity, 'can-' || lpad(entity::text, 8, '0'), 'EventVenue', 'telephone', '', 'differs',
       'telephones', '[]', encode(sha256(entity::text::bytea), 'hex'), 'a', 'authority-tier', '["They differ."]', false,
       'open', 'src-' || lpad('1', 16, '0')
  FROM runtime.tenants AS tenant CROSS JOIN generate_series(1, %(entities)s) AS entity
"""
_NEW_SOURCES = """
INSERT INTO runtime.tenant_sources
       (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank, received_by)
SELECT tenant_id, 'src-' || lpad(to_hex(1000000 + %(round)s), 16, '0'), origin, unit_mode, 'New', unit_digest,
       'received', authority_rank, received_by
  FROM runtime.tenant_sources WHERE id = 'src-' || lpad('1', 16, '0') ORDER BY tenant_id LIMIT %(new)s
"""
_EVENTS = """
INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
SELECT run_id, replace(event, %(first)s, key), dagster_event_type, timestamp, step_key, asset_key, key
  FROM event_logs CROSS JOIN unnest(%(keys)s::text[]) AS key
 WHERE partition = %(first)s AND dagster_event_type = 'ASSET_MATERIALIZATION'
"""


def measure(tenants: int, sources: int) -> dict[str, Any]:
    """Fill an installation, and look at it in each of the three ways."""
    with new_home() as home:
        with open_runtime(Settings(home=home)) as runtime:
            names = [TenantId(f"scale-{number:04d}") for number in range(tenants)]
            registering = _seconds(lambda: _register(runtime, names))
            filling = _seconds(lambda: _fill(runtime, sources))
            rows = _rows(runtime)
            materialised = _tell_dagster(runtime, names, sources)
            security = _row_level_security(runtime, names[:READ_TENANTS])
            ticks = _ticks(runtime)
        with up(home) as running:
            pages = _pages(running, tenants * sources)
    slowest = {name: max(each["seconds"]) for name, each in pages.items()}
    tick = max(max(each) for each in ticks.values())
    return {
        "tenants": tenants,
        "partitions": tenants * sources,
        "rows": rows,
        "materialisations_known_to_dagster": materialised,
        "registering_seconds_a_tenant": round(registering / tenants, 4),
        "filling_seconds": round(filling, 1),
        "page_seconds": pages,
        "tick_seconds_by_new_sources": {str(new): _rounded(each) for new, each in ticks.items()},
        "row_level_security": security,
        "targets": [
            at_most("the asset page's data, first time included", slowest["asset page"], 1, "s"),
            at_most("partition status of one asset, first time included", slowest["partition health"], 1, "s"),
            at_most("partition counts of all assets, first time included", slowest["partition counts"], 1, "s"),
            at_most("a tick of the sensor, whatever is new", tick, 1, "s"),
            *(
                at_most(f"row-level security, to an explicit WHERE: {name}", each["ratio"], 1.05)
                for name, each in security.items()
            ),
        ],
        "curves": [
            curve(
                "A tick of the sensor", "new sources", "ms",
                {"tick": [(new, round(1000 * statistics.median(each), 1)) for new, each in ticks.items()]},
            ),
            curve(
                "What Dagster's pages ask for", "query", "ms",
                {
                    "first": [(name, 1000 * each["seconds"][0]) for name, each in pages.items()],
                    "median": [(name, 1000 * statistics.median(each["seconds"])) for name, each in pages.items()],
                },
                kind="bar",
            ),
        ],
    }  # fmt: skip


def _register(runtime: Runtime, names: list[TenantId]) -> None:
    for name in names:
        register(runtime, name)


def _fill(runtime: Runtime, sources: int) -> None:
    dimensions = [dimension.id for dimension in runtime.contracts.coverage_dimensions]
    parameters = {"sources": sources, "entities": ENTITIES, "dimensions": dimensions}
    with runtime.database.administration() as connection:
        for statement in (_SOURCES, _STATEMENTS, _SCORES, _CONFLICTS):
            connection.execute(statement, parameters)
    with runtime.database.autocommit() as connection:
        connection.execute("VACUUM ANALYZE")


def _rows(runtime: Runtime) -> dict[str, int]:
    tables = ("tenant_sources", "statements", "coverage_scores", "conflicts")
    with runtime.database.administration() as connection:
        return {
            table: int((connection.execute(f"SELECT count(*) AS rows FROM runtime.{table}").fetchone() or {})["rows"])
            for table in tables
        }


def _tell_dagster(runtime: Runtime, names: list[TenantId], sources: int) -> int:
    """Every source is a partition, and materialised in every asset: one event by Dagster, the others copies of it."""
    keys = [partition_key(name, source_id(f"src-{number:016x}")) for name in names for number in range(1, sources + 1)]
    first, *others = keys
    with dagster_instance(runtime) as instance:
        instance.add_dynamic_partitions(TENANT_SOURCE, keys)
        for asset in ASSETS:
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=first))
    dsn = dagster_environment(runtime)[DSN_VARIABLE].replace("postgresql+psycopg2://", "postgresql://")
    with psycopg.connect(dsn) as connection:
        written = connection.execute(_EVENTS, {"first": first, "keys": others}).rowcount
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return written + len(ASSETS)


def _pages(running: Running, partitions: int) -> dict[str, dict[str, Any]]:
    """Seconds of each query, the first time and then again; each has to show every partition."""
    one = {"assetKey": {"path": [ASSETS[-3]]}}
    every = {"assetKeys": [{"path": [asset]} for asset in ASSETS]}
    found: dict[str, dict[str, Any]] = {}
    for name, query, variables in (
        ("asset page", ASSET_PAGE, one),
        ("partition health", PARTITION_HEALTH, one),
        ("partition counts", PARTITION_STATS, every),
    ):
        seconds = []
        for _ in range(TIMES):
            started = time.perf_counter()
            answer = running.graphql(query, **variables)
            seconds.append(time.perf_counter() - started)
        found[name] = {"seconds": _rounded(seconds)}
    for node in answer["assetNodes"]:
        if node["partitionStats"]["numMaterialized"] != partitions:
            raise AssertionError(f"{node['assetKey']}: {node['partitionStats']}, and there are {partitions}")
    return found


def _ticks(runtime: Runtime) -> dict[int, list[float]]:
    """Seconds of ticks, each with so many sources new; what was asked for is told by the cursor, as to the daemon."""
    found: dict[int, list[float]] = {}
    cursor, put_in_line = None, 0
    with dagster_instance(runtime) as instance:
        for new in NEW:
            for _ in range(TIMES):
                put_in_line += 1
                with runtime.database.administration() as connection:
                    connection.execute(_NEW_SOURCES, {"round": put_in_line, "new": new})
                context = dg.build_sensor_context(
                    instance=instance, cursor=cursor, resources={"runtime": RuntimeAccess(runtime)}
                )
                started = time.perf_counter()
                tick = uploads.evaluate_tick(context)
                found.setdefault(new, []).append(time.perf_counter() - started)
                for request in tick.dynamic_partitions_requests or ():
                    instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
                cursor = tick.cursor
    with runtime.database.administration() as connection:  # there is nothing to run in them
        connection.execute("UPDATE runtime.tenant_sources SET ingest_status = 'stopped' WHERE title = 'New'")
    return found


class _AsOwner(Database):
    """The database as one that no policy holds back: a tenant's reads rest on their explicit WHERE alone.

    All else is as for a tenant: a connection of its own for each login's name, kept, with as many round trips.
    """

    def _open(self, role: str) -> Connection:
        return psycopg.connect(self.conninfo(), autocommit=True, row_factory=dict_row, options="-c row_security=off")


def _row_level_security(runtime: Runtime, names: list[TenantId]) -> dict[str, dict[str, float]]:
    """Milliseconds of what people read, as the tenant's login and as the owner; medians and their ratio.

    They read by turns, and take turns in being the first: the second finds the rows in the processor's cache.
    """
    owner = replace(runtime, database=_AsOwner(runtime.database.conninfo(), b""))
    sides = (("tenant", runtime), ("owner", owner))
    found: dict[str, dict[str, float]] = {}
    reads: dict[str, Callable[[Runtime, TenantId], Any]] = {
        "statements": _read_statements,
        "coverage": _count_coverage,
        "conflicts": lambda opened, tenant: page_of_matrix(opened, tenant, limit=50).items,
    }
    for name, read in reads.items():
        took: dict[str, list[float]] = {"tenant": [], "owner": []}
        for number in range((WARM + READS) * len(names)):
            turn, place = divmod(number, len(names))
            tenant = names[place]
            for who, opened in sides if turn % 2 else reversed(sides):
                started = time.perf_counter()
                rows = read(opened, tenant)
                seconds = time.perf_counter() - started
                if not rows:
                    raise AssertionError(f"{name} of {tenant} are empty for the {who}")
                if number >= WARM * len(names):
                    took[who].append(1000 * seconds)
        tenant_ms, owner_ms = statistics.median(took["tenant"]), statistics.median(took["owner"])
        found[name] = {
            "tenant_ms": round(tenant_ms, 2), "owner_ms": round(owner_ms, 2), "ratio": round(tenant_ms / owner_ms, 3)
        }  # fmt: skip
    owner.database.close()
    return found


def _read_statements(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    with runtime.database.tenant(tenant) as connection:
        return statements_of(connection, tenant, limit=1_000)


def _count_coverage(runtime: Runtime, tenant: TenantId) -> dict[str, Any]:
    with runtime.database.tenant(tenant) as connection:
        return count_evidence(runtime, connection, tenant)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _rounded(seconds: list[float]) -> list[float]:
    return [round(each, 4) for each in seconds]
