"""Dagster's records: every instance that a process opens asks over the same connections, and a lost one is replaced."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.dagster_database import DATABASE


@pytest.fixture
def logins(own_installation: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The logins to Dagster's database, in an environment that names it."""
    for name, value in dagster_environment(own_installation).items():
        monkeypatch.setenv(name, value)
    found: list[object] = []

    def noted(connection: object, record: object) -> None:
        found.append(connection)

    event.listen(Pool, "connect", noted)
    yield found
    event.remove(Pool, "connect", noted)


def _asks() -> None:
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs() == []
        assert instance.all_asset_keys() == []
        assert instance.all_instigator_state() == []


def test_an_instance_that_is_opened_again_logs_in_no_more(logins: list[object]) -> None:
    _asks()
    first = len(logins)
    for _ in range(3):
        _asks()
    assert len(logins) == first


def test_a_connection_that_the_server_has_ended_is_replaced_without_a_word(
    own_installation: Runtime, logins: list[object]
) -> None:
    _asks()
    before = len(logins)
    with own_installation.database.administration() as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (DATABASE,)
        ).fetchall()
    assert ended
    _asks()
    assert len(logins) > before
