"""Dagster's own records in PostgreSQL, over connections that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config

POOL_RECYCLE_SECONDS = 3600
MOST_AT_ONCE = 20


class KeptConnectionsStorage(DagsterPostgresStorage):
    """Dagster's storage, which keeps connections in every process.

    Dagster itself does so in its webserver alone. Its daemon and its runs log in anew for every event and every
    question, which was four tenths of the time of a run over small sources.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptConnectionsStorage:
        """The storage that the instance's configuration describes."""
        storage = cls(pg_url_from_config(cast(PostgresStorageConfig, config_value)), inst_data=inst_data)
        for part in (storage.run_storage, storage.event_log_storage, storage.schedule_storage):
            part.optimize_for_webserver(
                statement_timeout=0, pool_recycle=POOL_RECYCLE_SECONDS, max_overflow=MOST_AT_ONCE
            )
        return storage
