"""Dagster's own records in PostgreSQL: over connections that are kept, nothing asked twice, and with patience.

A run that cannot write down what happened is lost to Dagster, and what it had in hand is run again source by source. So
a run waits with its events while the database is away or its disk is full; one that broke off in the middle may be told
twice. Sensors and servers do not wait: they try again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast

from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage, PostgresRunStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config
from sqlalchemy.engine import Engine

from tenant_pipeline.services.patience import patiently

POOL_RECYCLE_SECONDS = 3600
KEPT = 3
MOST_AT_ONCE = 60
_OF_RUNS = frozenset({DagsterEventType.RUN_START, DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE})
"""What a run tells of itself beside its steps."""
_engines: dict[tuple[str, int], Engine] = {}
"""By database and process: a process that was forked has connections of its own."""


class KeptConnectionsStorage(DagsterPostgresStorage):
    """Dagster's storage, which keeps connections in every process, for all instances that it opens.

    Dagster itself does so in its webserver alone. Its daemon and its runs log in anew for every event and every
    question, which was four tenths of the time of a run over small sources. And its code servers open an instance for
    every tick of a sensor, which logged in eight times and looked for the tables: nine tenths of an idle tick.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        place = (postgres_url, os.getpid())
        known = place in _engines
        super().__init__(postgres_url, should_autocreate_tables=not known, inst_data=inst_data)
        self._event_log_storage = PatientEventLog(postgres_url, should_autocreate_tables=False)
        self._run_storage = PatientRuns(postgres_url, should_autocreate_tables=False)
        if not known:
            _engines.setdefault(place, _engine(postgres_url))
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = _engines[place]

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


def _engine(postgres_url: str) -> Engine:
    """Asks a connection that was kept whether it still is one: a database may have been restarted since."""
    return create_pg_engine(
        postgres_url,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT,
        max_overflow=MOST_AT_ONCE,
        pool_recycle=POOL_RECYCLE_SECONDS,
        pool_pre_ping=True,
    )
