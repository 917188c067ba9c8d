"""Where Dagster's processes find their home and storage: in PostgreSQL, in a database and with a role of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from tenant_pipeline.resources.dagster_storage import KeptConnectionsStorage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.dagster_database import ensure_dagster_database

DSN_VARIABLE = "TENANT_RUNTIME_DAGSTER_DSN"
EVENTS_A_BATCH = "50"
CONCURRENT_RUNS = 2
RUNS_A_TENANT = 1
"""No tenant takes every place in the queue, however much it hands in. A run for several tenants counts as its own."""
START_TIMEOUT_SECONDS, CANCEL_TIMEOUT_SECONDS, MONITORING_SECONDS = 300, 60, 30


def dagster_environment(runtime: Runtime) -> Mapping[str, str]:
    """The environment in which Dagster's processes find their home and their database. Creates both if need be."""
    settings = runtime.settings
    given = settings.dagster_dsn
    dsn = given.get_secret_value() if given else ensure_dagster_database(runtime.database)
    _write_instance_settings(settings)
    return {
        "DAGSTER_HOME": str(settings.dagster_home.resolve()),
        DSN_VARIABLE: dsn,
        "DAGSTER_EVENT_BATCH_SIZE": EVENTS_A_BATCH,
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "TENANT_RUNTIME_HOME": str(settings.home.resolve()),
        **({"TENANT_RUNTIME_CONTRACTS": str(settings.contracts.resolve())} if settings.contracts else {}),
    }


def _write_instance_settings(settings: Settings) -> None:
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = yaml.safe_dump(
        {
            "storage": {
                "custom": {
                    "module": KeptConnectionsStorage.__module__,
                    "class": KeptConnectionsStorage.__name__,
                    "config": {"postgres_url": {"env": DSN_VARIABLE}},
                }
            },
            "run_coordinator": {
                "module": "dagster._core.run_coordinator",
                "class": "QueuedRunCoordinator",
                "config": {
                    "max_concurrent_runs": CONCURRENT_RUNS,
                    "tag_concurrency_limits": [
                        {"key": "tenant", "value": {"applyLimitPerUniqueValue": True}, "limit": RUNS_A_TENANT}
                    ],
                },
            },
            # What failed by itself waits for a person; what was killed is run again.
            "run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False},
            "run_monitoring": {
                "enabled": True,
                "start_timeout_seconds": START_TIMEOUT_SECONDS,
                "cancel_timeout_seconds": CANCEL_TIMEOUT_SECONDS,
                "max_runtime_seconds": settings.longest_run_seconds,
                "poll_interval_seconds": min(MONITORING_SECONDS, max(1, settings.longest_run_seconds // 4)),
            },
            "retention": {
                kind: {"purge_after_days": {"skipped": 7, "success": 30, "started": 30, "failure": 90}}
                for kind in ("schedule", "sensor")
            },
            "telemetry": {"enabled": False},
            "nux": {"enabled": False},
        }
    )
    _write_if_changed(home / "dagster.yaml", content)


def _write_if_changed(path: Path, content: str) -> None:
    if not path.exists() or path.read_text() != content:
        waiting = path.with_suffix(".new")
        waiting.write_text(content)
        waiting.replace(path)
