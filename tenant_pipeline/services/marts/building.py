"""Building the marts: one build at a time, over what was just measured, each table exchanged whole by dbt."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenant_pipeline.services.marts.project import MartsError, dbt_executable, environment_of_dbt, project_folder
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

LOCK = 7_201_604_711_853_004_021
"""The advisory lock of whoever writes marts."""

BUILD_SECONDS = 3600
_GOOD = ("success", "pass", "no-op")


@dataclass(frozen=True)
class Built:
    """How many marts were built and how many tests held."""

    marts: int
    tests: int
    seconds: float


def alone(connection: Connection) -> None:
    """Wait until nobody else writes marts; nobody else does before the transaction ends."""
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))


@contextmanager
def building(runtime: Runtime) -> Iterator[Mapping[str, str]]:
    """Alone with the marts, after measuring: the environment that dbt builds in, a secret."""
    # Loaded where marts are built: it brings in all that judges a source, which takes long.
    from tenant_pipeline.services.marts.measuring import measure_tenants

    with runtime.database.marts() as connection:
        alone(connection)
        measure_tenants(runtime)
        yield environment_of_dbt(runtime)


def build_marts(runtime: Runtime) -> Built:
    """Build every mart and hold it against its contract and tests. Raises MartsError naming what did not hold."""
    project = project_folder(runtime.settings)
    with building(runtime) as environment:
        results = Path(environment["DBT_TARGET_PATH"]) / "run_results.json"
        results.unlink(missing_ok=True)
        done = subprocess.run(
            [str(dbt_executable()), "--quiet", "build", "--project-dir", str(project), "--profiles-dir", str(project)],
            env={**os.environ, **environment},
            cwd=project,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        if not results.is_file():
            raise MartsError("dbt did not come to build", where=str(project), remedy=done.stdout[-2000:])
        told = json.loads(results.read_text(encoding="utf-8"))
    bad = [f"{each['unique_id']}: {each['message']}" for each in told["results"] if each["status"] not in _GOOD]
    if done.returncode or bad:
        raise MartsError("Marts were not built, or do not hold", where="; ".join(bad), remedy=f"See {results}.")
    kinds = [each["unique_id"].partition(".")[0] for each in told["results"]]
    return Built(kinds.count("model"), kinds.count("test"), told["elapsed_time"])
