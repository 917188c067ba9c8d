"""What the database's server says of itself is no fault of a source, by whichever driver it is heard."""

from __future__ import annotations

from collections.abc import Callable

import psycopg.errors
import psycopg2.errors
import pytest
import sqlalchemy.exc
from dagster_postgres.utils import DagsterPostgresException

from tenant_pipeline.core.errors import (
    DatabaseUnavailableError,
    MachineExhaustedError,
    StageFaultError,
    TenantRuntimeError,
)
from tenant_pipeline.services.faults import in_our_words


def _of_dagster(error: Exception) -> Exception:
    """As Dagster's storage raises it."""
    try:
        try:
            raise sqlalchemy.exc.OperationalError("INSERT", {}, error) from error
        except sqlalchemy.exc.OperationalError as wrapped:
            raise DagsterPostgresException from wrapped
    except DagsterPostgresException as raised:
        return raised


@pytest.mark.parametrize(
    ("met", "told"),
    [
        (psycopg.errors.DiskFull("could not extend file"), MachineExhaustedError),
        (psycopg.errors.OutOfMemory(), MachineExhaustedError),
        (psycopg.errors.ReadOnlySqlTransaction(), MachineExhaustedError),
        (psycopg.errors.TooManyConnections(), DatabaseUnavailableError),
        (psycopg.errors.CannotConnectNow("the database system is in recovery mode"), DatabaseUnavailableError),
        (psycopg.errors.CrashShutdown(), DatabaseUnavailableError),
        (psycopg.errors.IoError("could not fsync file"), DatabaseUnavailableError),
        (psycopg.OperationalError("server closed the connection unexpectedly"), DatabaseUnavailableError),
        (psycopg.errors.CheckViolation(), StageFaultError),
        (psycopg.errors.NumericValueOutOfRange(), StageFaultError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_of_the_server_is_told_for_what_it_is(met: Exception, told: type[TenantRuntimeError]) -> None:
    found = in_our_words(met, where="phuket|src-1 assemble", run_id="r")
    assert type(found) is told
    assert str(met) not in str(found) or not str(met), "what a driver says may quote a row or an address"


@pytest.mark.parametrize("wrap", [lambda error: error, _of_dagster], ids=["bare", "wrapped"])
def test_an_outage_is_heard_by_dagsters_driver_too(wrap: Callable[[Exception], Exception]) -> None:
    away = in_our_words(wrap(psycopg2.OperationalError("connection refused")), where="x", run_id="r")
    assert type(away) is DatabaseUnavailableError
