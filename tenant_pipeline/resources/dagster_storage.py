"""Dagster's own records in PostgreSQL: over connections that are kept, nothing asked twice, and with patience.

A run that cannot write down what happened is lost to Dagster, and what it had in hand is run again source by source. So
a run waits with its events while the database is away or its disk is full; one that broke off in the middle may be told
twice. Sensors and servers do not wait: they try again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast

from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage, PostgresRunStorage
from dagster_postgres.utils import pg_url_from_config

from tenant_pipeline.services.patience import patiently

POOL_RECYCLE_SECONDS = 3600
MOST_AT_ONCE = 20
_OF_RUNS = frozenset({DagsterEventType.RUN_START, DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE})
"""What a run tells of itself beside its steps."""


class KeptConnectionsStorage(DagsterPostgresStorage):
    """Dagster's storage, which keeps connections in every process.

    Dagster itself does so in its webserver alone. Its daemon and its runs log in anew for every event and every
    question, which was four tenths of the time of a run over small sources.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        self._event_log_storage = PatientEventLog(postgres_url, should_autocreate_tables=True)
        self._run_storage = PatientRuns(postgres_url, should_autocreate_tables=True)
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


class PatientEventLog(PostgresEventLogStorage):
    """Dagster's event log, which asks once whether there is a table; Dagster asks for every check and partition."""

    def __init__(self, postgres_url: str, should_autocreate_tables: bool) -> None:
        self._known: set[str] = set()
        super().__init__(postgres_url, should_autocreate_tables)

    def has_table(self, table_name: str) -> bool:
        """Whether there is a table of that name. One that was there once stays."""
        if table_name not in self._known and super().has_table(table_name):
            self._known.add(table_name)
        return table_name in self._known

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; one that a run tells of itself, as soon as the database takes it."""
        if event.step_key is None and event.dagster_event_type not in _OF_RUNS:
            super().store_event(event)
        else:
            patiently(partial(super().store_event, event))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events that a run tells of itself, as soon as the database takes them."""
        if any(event.step_key is None for event in events):
            super().store_event_batch(events)
        else:
            patiently(partial(super().store_event_batch, events))


class PatientRuns(PostgresRunStorage):
    """Dagster's runs, which note how far one has come as soon as the database takes it."""

    def handle_run_event(self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None) -> None:
        """Note what an event says of its run."""
        if event.event_type in _OF_RUNS:
            patiently(partial(super().handle_run_event, run_id, event, update_timestamp))
        else:
            super().handle_run_event(run_id, event, update_timestamp)
