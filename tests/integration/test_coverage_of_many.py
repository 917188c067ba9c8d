"""Coverage of many entities costs what the entities do, also where the database's statistics are from before them."""

from __future__ import annotations

from typing import Any

import pytest

from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.services.coverage.counting import facts, slots
from tenant_pipeline.services.coverage.scope import Scope
from tenant_pipeline.services.coverage.shortfalls import shortfall
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import Sources, new_tenant

FEW, MANY = 150, 600
"""What is linear does four times the work, what is quadratic sixteen times."""
SOURCE = SourceId(f"src-{1:016x}")


class Worked:
    """A connection that adds up the rows that the plans of its queries touched."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.rows = 0.0

    def execute(self, query: str, parameters: Any = None) -> Any:
        (plan,) = self._connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", parameters).fetchone().values()
        self.rows += _touched(plan[0]["Plan"])
        return self._connection.execute(query, parameters)


def _touched(node: dict[str, Any]) -> float:
    removed = sum(rows for name, rows in node.items() if name.startswith("Rows Removed by"))
    own = float((node["Actual Rows"] + removed) * node["Actual Loops"])
    return own + sum(map(_touched, node.get("Plans", ())))


@pytest.fixture
def runtime(own_installation: Runtime) -> Runtime:
    """An installation whose statistics of conflicts are of other tenants' few rows, and that has none of statements."""
    with own_installation.database.administration() as connection:
        connection.execute("ANALYZE runtime.conflicts")
    return own_installation


def halls(runtime: Runtime, number: int) -> Sources:
    """A new tenant with so many halls in one source, every second one with an open conflict."""
    made = new_tenant(runtime)
    made.say(1, ("name", "th", "หอประชุม"), ("postalCode", "", "83000"), ("telephone", "", "+6676000000"))
    made.say(2, ("postalCode", "", "83100"))
    with runtime.database.tenant(made.tenant) as connection:
        for table, changed in (
            ("statements", {"statement_id", "entity_id", "canonical_id"}),
            ("conflicts", {"conflict_id", "canonical_id"}),
        ):
            names = [
                row["name"]
                for row in connection.execute(
                    """
                    SELECT attname AS name FROM pg_attribute
                     WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                    """,
                    (f"runtime.{table}",),
                )
            ]
            values = [f"{name} || '-' || number" if name in changed else name for name in names]
            connection.execute(
                f"INSERT INTO runtime.{table} ({', '.join(names)}) SELECT {', '.join(values)}"
                f" FROM runtime.{table}, generate_series(1, %s, %s) AS number WHERE tenant_id = %s",
                (number - 1, 1 if table == "statements" else 2, made.tenant),
            )
    return made


def work(sources: Sources, scope: Scope, dimension: str) -> float:
    """Rows touched in counting a scope, and in saying what a dimension lacks."""
    runtime = sources.runtime
    with runtime.database.tenant(sources.tenant) as connection:
        worked: Any = Worked(connection)
        slots(worked, scope, runtime.contracts.vocabulary)
        facts(worked, scope)
        lacks = shortfall(runtime, worked, scope, dimension)
    assert lacks.lifts
    return float(worked.rows)


@pytest.mark.parametrize("dimension", ["completeness", "language_completeness", "corroboration", "consistency"])
def test_the_work_grows_with_the_entities(runtime: Runtime, dimension: str) -> None:
    few, many = halls(runtime, FEW), halls(runtime, MANY)
    for source in (SOURCE, None):
        growth = work(many, Scope(many.tenant, source), dimension) / work(few, Scope(few.tenant, source), dimension)
        assert growth < 2 * MANY / FEW
