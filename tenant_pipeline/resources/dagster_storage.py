"""Dagster's own records in PostgreSQL, over connections that are kept and without asking the same twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config

POOL_RECYCLE_SECONDS = 3600
MOST_AT_ONCE = 20


class KeptConnectionsStorage(DagsterPostgresStorage):
    """Dagster's storage, which keeps connections in every process.

    Dagster itself does so in its webserver alone. Its daemon and its runs log in anew for every event and every
    question, which was four tenths of the time of a run over small sources.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        self._event_log_storage = KnownTablesEventLog(postgres_url, should_autocreate_tables=True)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part.optimize_for_webserver(
                statement_timeout=0, pool_recycle=POOL_RECYCLE_SECONDS, max_overflow=MOST_AT_ONCE
            )

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptConnectionsStorage:
        """The storage that the instance's configuration describes."""
        return cls(pg_url_from_config(cast(PostgresStorageConfig, config_value)), inst_data)


class KnownTablesEventLog(PostgresEventLogStorage):
    """Dagster's event log, which asks once whether there is a table; Dagster asks for every check and partition."""

    def __init__(self, postgres_url: str, should_autocreate_tables: bool) -> None:
        self._known: set[str] = set()
        super().__init__(postgres_url, should_autocreate_tables)

    def has_table(self, table_name: str) -> bool:
        """Whether there is a table of that name. One that was there once stays."""
        if table_name not in self._known and super().has_table(table_name):
            self._known.add(table_name)
        return table_name in self._known
