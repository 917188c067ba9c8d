"""A tenant that came since the database counted its tables costs what it holds.

Until autovacuum has counted again, which in an installation of many tenants may be long, the statistics know every
tenant but the new one. The planner then takes a tenant that it is shown for one with hardly a row.
"""

from __future__ import annotations

import io
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from tenant_pipeline.core.origin import Origin, Unit, UnitFile, UnitMode
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.services import kept_units, sources
from tenant_pipeline.services.conflicts.bulk_signing import rules
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.reading import totals_of_matrix
from tenant_pipeline.services.coverage.reading import explain_coverage
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.overview import overview_of
from tenant_pipeline.services.places import places_of
from tenant_pipeline.services.releases.building import build_candidate
from tenant_pipeline.services.runtime import Runtime
from tests.registered import registered

FEW, MANY = 150, 600
"""What is linear does four times the work, what is quadratic sixteen times."""
FLOOR = 20
"""Rows read of a table for each row of the source, below which a growth tells of plans for small tables only."""

_ROWS_READ = """
SELECT of_table.relname AS name,
       coalesce(of_table.seq_tup_read, 0) + coalesce((
           SELECT sum(idx_tup_read) FROM pg_stat_user_indexes AS of_index WHERE of_index.relid = of_table.relid
       ), 0)::bigint AS rows
  FROM pg_stat_user_tables AS of_table WHERE of_table.schemaname = 'runtime'
"""

Work = Counter[tuple[str, str]]
"""Rows read by step and table."""


class NewTenant:
    """A tenant, and what each step of it makes the database read."""

    def __init__(self, runtime: Runtime, halls: int) -> None:
        self.runtime, self.halls, self.work = runtime, halls, Work()
        self.id = registered(runtime, f"t{uuid.uuid4().hex[:12]}")

    def measured(self, step: str, act: Callable[[], object]) -> None:
        before = self._rows_read()
        act()
        for table, rows in (self._rows_read() - before).items():
            self.work[step, table] += rows

    def _rows_read(self) -> Counter[str]:
        """What all sessions have read until now: an ended one has told all of it."""
        self.runtime.database.close()
        with self.runtime.database.administration() as connection:
            while connection.execute("SELECT FROM pg_stat_activity WHERE usename <> current_user").rowcount > 0:
                time.sleep(0.01)
            return Counter({row["name"]: row["rows"] for row in connection.execute(_ROWS_READ)})

    def _unit(self, capacity: int) -> Unit:
        drawn = random.Random(7)

        def word(letters: str, length: int) -> str:
            return "".join(drawn.choice(letters) for _ in range(length))

        lines = ["name (English),ชื่อสถานที่,capacity,postal code,latitude,longitude"]
        for number in range(self.halls):
            english = f"{word('aeioukrtmsnph', 8).title()} {word('aeioukrtmsnph', 7).title()}"
            place = f"{drawn.randrange(10_000, 90_000)},{6 + drawn.random() * 10:.4f},{98 + drawn.random() * 6:.4f}"
            lines.append(f"{english},{word('กขคงจชดตนบปพมยรลวสห', 8)},{capacity + number},{place}")
        digest, size = self.runtime.raw_zone(self.id).put(io.BytesIO("\n".join(lines).encode()))
        unit = Unit(UnitMode.SINGLE_FILE, (UnitFile("halls.csv", digest, size),))
        kept_units.keep_unit(self.runtime.raw_zone(self.id), unit)
        return unit

    def hand_in(self, number: int, origin: Origin, capacity: int) -> None:
        unit, identifier = self._unit(capacity), SourceId(f"src-{number:016x}")
        with self.runtime.database.tenant(self.id) as connection:
            sources.insert_source(
                connection, self.runtime, self.id, identifier, unit, origin=origin, title=f"Halls {number}",
                actor="test", observed_at=datetime(2026, 5, 1, tzinfo=UTC), rights="",
            )  # fmt: skip
        self._walk(f"source {number}", identifier)

    def renew(self, number: int, capacity: int) -> None:
        unit, identifier = self._unit(capacity), SourceId(f"src-{number:016x}")
        with self.runtime.database.tenant(self.id) as connection:
            sources.renew_source(
                connection, self.runtime, self.id, identifier, unit, actor="test", observed_at=None, url=""
            )
        self._walk(f"source {number} anew", identifier)

    def _walk(self, name: str, source: SourceId) -> None:
        for stage in STAGES:
            self.measured(f"{name}: {stage}", partial(run_stage, self.runtime, self.id, source, stage))
        self.measured(f"{name}: conflicts", lambda: update_conflicts(self.runtime, self.id, source))
        self.measured(f"{name}: coverage", lambda: update_coverage(self.runtime, self.id, source))
        self.measured(f"{name}: shortfalls", lambda: explain_coverage(self.runtime, self.id, source))

    def look(self) -> None:
        runtime, tenant = self.runtime, self.id
        self.measured("overview", lambda: overview_of(runtime, tenant, "ann"))
        self.measured("places", lambda: places_of(runtime, tenant))
        self.measured("totals", lambda: totals_of_matrix(runtime, tenant))
        self.measured("rules", lambda: rules(runtime, tenant))
        self.measured("candidate", lambda: build_candidate(runtime, tenant, requested_by="ann"))


@pytest.fixture
def known_before(own_installation: Runtime) -> Runtime:
    """An installation whose statistics are of before the tenants to come, and stay so."""
    before = NewTenant(own_installation, MANY)
    before.hand_in(1, Origin.CANONICAL, 100)
    before.hand_in(2, Origin.PARTNER_DOC, 200)
    with own_installation.database.administration() as connection:
        connection.autocommit = True
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("ANALYZE")
    return own_installation


@pytest.mark.slow
def test_the_work_grows_with_what_the_tenant_holds(known_before: Runtime) -> None:
    few, many = NewTenant(known_before, FEW), NewTenant(known_before, MANY)
    for tenant in (few, many):
        tenant.hand_in(1, Origin.CANONICAL, 100)
        tenant.hand_in(2, Origin.PARTNER_DOC, 200)
        tenant.renew(1, 300)
        tenant.look()
    grown = {
        step: (few.work[step], rows)
        for step, rows in many.work.items()
        if rows > FLOOR * MANY and rows > 2 * MANY / FEW * few.work[step]
    }
    assert grown == {}
