"""What an examination has found, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import psycopg
from psycopg.rows import dict_row

from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.database import Connection, Database
from tenant_pipeline.storage.keys import KeyRing

CONNECT_SECONDS = 5


class Verdict(StrEnum):
    """Fine; wrong; worth changing, though nothing is broken; or not examined, because something else is wrong."""

    FINE = "fine"
    WRONG = "wrong"
    ADVICE = "advice"
    NOT_EXAMINED = "not examined"


@dataclass(frozen=True)
class Finding:
    """What was found, in one sentence without a secret, and what to do about it."""

    verdict: Verdict
    says: str
    remedy: str = ""


def fine(says: str) -> Finding:
    """Nothing is wrong."""
    return Finding(Verdict.FINE, says)


def wrong(says: str, remedy: str) -> Finding:
    """Something is wrong."""
    return Finding(Verdict.WRONG, says, remedy)


def advice(says: str, remedy: str) -> Finding:
    """Nothing is broken, and it had better be changed."""
    return Finding(Verdict.ADVICE, says, remedy)


class NotExaminedError(Exception):
    """Something else is wrong that has to be mended first."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Patient:
    """An installation: its settings, and its database if that answers.

    `lives` says whether it was running before it was examined; `database` is the administration DSN, a secret.
    """

    settings: Settings
    database: str | None = field(default=None, repr=False)
    lives: bool = False
    now: Callable[[], datetime] = _now

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One transaction as the role that owns the installation. Raises NotExaminedError without a database."""
        if self.database is None:
            raise NotExaminedError("the database does not answer")
        with psycopg.connect(self.database, connect_timeout=CONNECT_SECONDS, row_factory=dict_row) as connection:
            yield connection

    @contextmanager
    def migrated_connection(self) -> Iterator[Connection]:
        """As `connection`, for what only a migrated database can tell."""
        with self.connection() as connection:
            there = connection.execute("SELECT to_regclass('runtime.tenants') IS NOT NULL AS there").fetchone()
            if not there or not there["there"]:
                raise NotExaminedError("the database was never migrated")
            yield connection

    @contextmanager
    def platform_connection(self) -> Iterator[Connection]:
        """One transaction as the platform, which sees how tenants stand; the owner sees no row."""
        with self.migrated_connection():
            pass
        try:
            conninfo = self.as_roles().platform_conninfo()
            connection = psycopg.connect(conninfo, connect_timeout=CONNECT_SECONDS, row_factory=dict_row)
        except psycopg.OperationalError:
            raise NotExaminedError("the platform cannot log in") from None
        with connection:
            yield connection

    def as_roles(self) -> Database:
        """The database as its several roles. Raises NotExaminedError without it, or without the master key."""
        if self.database is None:
            raise NotExaminedError("the database does not answer")
        if not (self.settings.keys_directory / "master.key").exists():  # asking for it would make a new one
            raise NotExaminedError("the master key is missing")
        return Database(self.database, KeyRing(self.settings.keys_directory).login_secret())


Examination = Callable[[Patient], Finding]
