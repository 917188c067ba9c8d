"""Whose fault an exception is: ours or the source's, or of something around us that is away.

In typed errors of our own words: an exception's own may quote a row or a DSN.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

import psycopg
import psycopg2

from tenant_pipeline.core.errors import (
    DatabaseUnavailableError,
    MachineExhaustedError,
    StageFaultError,
    TenantRuntimeError,
)

_EXHAUSTED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_FULL = frozenset({"53100", "53200", "25006"})
"""SQLSTATE of a server that has no room: on its disk, in its memory, or so little on its disk that whoever runs it lets
nothing be written any more."""
_AWAY = frozenset({"08", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE that say nothing of what was asked: connection, rollback by another, resources, locks, an
operator, the system. (PostgreSQL, appendix A.)"""

_OF_DATABASE = (
    psycopg.OperationalError, psycopg.InterfaceError, psycopg2.OperationalError, psycopg2.InterfaceError,
)  # fmt: skip
"""Ours, and Dagster's, which uses another driver."""


def in_our_words(error: Exception, *, where: str, run_id: str) -> TenantRuntimeError:
    """The typed error that tells of an exception which was met at `where`; one that is typed already is given back."""
    if isinstance(error, TenantRuntimeError):
        return error
    for each in _chain(error):
        if is_away(each):
            return DatabaseUnavailableError(
                f"The database does not answer ({type(each).__name__})",
                where=where,
                remedy="See that PostgreSQL runs and lets us in; what was under way is tried again by itself.",
            )
        if means := _used_up(each):
            return MachineExhaustedError(
                f"There is no room left on a disk, or another of a machine's means is used up ({means})",
                where=where,
                remedy="`tenant-pipeline doctor` says which; what was under way is tried again by itself.",
            )
    run = f"the log of Dagster run {run_id}" if run_id else "the process's log"
    memory = " Most likely there is too little memory for it." if isinstance(error, MemoryError) else ""
    return StageFaultError(
        f"It failed with {type(error).__name__}, which nobody foresaw",
        where=f"{where}, Dagster run {run_id}" if run_id else where,
        remedy=f"The trace is in {run}: report it.{memory} Once it is mended: `tenant-pipeline run`.",
    )


def is_away(error: BaseException) -> bool:
    """Whether the database did not answer, rather than that it refused what it was asked."""
    if not isinstance(error, _OF_DATABASE) or _used_up(error):
        return False
    state = _sqlstate(error)
    return state is None or state[:2] in _AWAY


def _used_up(error: BaseException) -> str:
    """Which of a machine's means an exception says is used up; none if empty."""
    if isinstance(error, psycopg.Error | psycopg2.Error) and _sqlstate(error) in _FULL:
        return type(error).__name__
    if isinstance(error, OSError) and error.errno in _EXHAUSTED:
        return errno.errorcode[error.errno]
    return ""


def _sqlstate(error: BaseException) -> str | None:
    """What the server says is wrong; None where it is the connection."""
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it came of."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        yield at
        at = at.__cause__ or at.__context__
