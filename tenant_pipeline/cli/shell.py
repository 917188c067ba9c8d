"""What every command shares: opening the runtime, printing for people or as JSON, and telling exit codes."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tenant_pipeline.core.errors import (
    InputError,
    IntegrityError,
    NotAllowedError,
    NotFoundError,
    SourceStoppedError,
    TenantRuntimeError,
)
from tenant_pipeline.core.printable import printable, printable_json
from tenant_pipeline.core.sentences.reading import LANGUAGES, Tell, teller
from tenant_pipeline.services.runtime import Runtime, administration_dsn, open_runtime
from tenant_pipeline.services.templates.publishing import keep_what_is_pinned
from tenant_pipeline.settings import Settings


class PrintingConsole(Console):
    """A console on which what others wrote gives the terminal no orders."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is to be shown, its texts without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


console = PrintingConsole(emoji=False)
complaints = PrintingConsole(stderr=True, emoji=False)

REST_SECONDS = 30.0
LONGEST_NAME = 40
READABLE_COLUMN = 11
"""Characters of a column of a table, with its frame, in which words are not broken up."""


class ExitCode(IntEnum):
    """What the command's exit code says."""

    OK = 0
    FAULT = 1
    BAD_INPUT = 2
    NOT_FOUND = 3
    STOPPED = 4
    INTEGRITY = 5
    NOT_ALLOWED = 6
    NOT_MET = 7


def exit_code(error: TenantRuntimeError) -> ExitCode:
    """The exit code for an error: wrong input, not found, stopped, broken integrity, not allowed, or a fault."""
    for kind, code in (
        (InputError, ExitCode.BAD_INPUT),
        (NotFoundError, ExitCode.NOT_FOUND),
        (SourceStoppedError, ExitCode.STOPPED),
        (IntegrityError, ExitCode.INTEGRITY),
        (NotAllowedError, ExitCode.NOT_ALLOWED),
    ):
        if isinstance(error, kind):
            return code
    return ExitCode.FAULT


@contextmanager
def opened(*, set_logins: bool = False) -> Iterator[Runtime]:
    """The runtime over the running database, or over the embedded one for as long as the command lasts.

    Local instances rest when the embedded database does; `up` brings them back. `set_logins` is as `migrate` has it.
    Raises ContractError for a contract that says something else under the version of a template that is published.
    """
    settings = Settings()
    started_here = administration_dsn(settings) is None
    with open_runtime(settings, set_logins=set_logins) as runtime:
        try:
            keep_what_is_pinned(runtime)
            yield runtime
        finally:
            if started_here and settings.instances_directory.exists():
                _lay_instances_to_rest(runtime)


def _lay_instances_to_rest(runtime: Runtime) -> None:
    # Loaded where there are instances: most commands know nothing of them.
    from tenant_pipeline.services.provisioning.backends import local_processes
    from tenant_pipeline.services.provisioning.standing import lay_to_rest

    lay_to_rest(runtime, local_processes(runtime), timeout=REST_SECONDS)


def operator() -> str:
    """Who runs the command: their login, or the number of a user that has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        return f"uid-{os.getuid()}"


def moment(text: str) -> datetime:
    """A day or a time in ISO 8601, by the zone that it says and else in UTC. Raises ValueError for anything else."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time; such as 2026-11-01, or 2026-11-01T09:00:00+07:00.") from None


def telling(runtime: Runtime, language: str) -> Tell:
    """What tells sentences in this language. Raises InputError for one that they are not in."""
    if language not in LANGUAGES:
        raise InputError(
            "Sentences are not in that language", where="--language", remedy=f"One of {', '.join(LANGUAGES)}."
        )
    return teller(language, runtime.contracts.labels)


def print_json(value: Any) -> None:
    """Print `value` as JSON, for programs."""
    sys.stdout.write(printable_json(json.dumps(value, ensure_ascii=False, indent=2, default=str)))
    sys.stdout.write("\n")


def print_rows(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows as a table with these columns, or all of each row as JSON.

    What a row is named by, in the first column, is in one piece, so that it can be copied out of a narrow window; but
    for a table of so many columns that the others would be broken into letters.
    """
    if as_json:
        print_json(list(rows))
        return
    table = Table(title=escape(title), title_justify="left")
    for column in columns:
        longest = max((len(_cell(row.get(column))) for row in rows), default=0)
        leaves_room = console.width - longest >= READABLE_COLUMN * (len(columns) - 1)
        whole = column == columns[0] and longest <= LONGEST_NAME and leaves_room
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    console.print(table)


def print_row(title: str, row: Mapping[str, Any], columns: Sequence[str], *, as_json: bool) -> None:
    """Print one row as a table with these columns, or all of it as JSON."""
    if as_json:
        print_json(row)
    else:
        print_rows(title, [row], columns, as_json=False)


def print_fields(title: str, fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Print each field with its value as a line of a table, or all of them as JSON."""
    if as_json:
        print_json(fields)
    else:
        rows = [{"field": name, "value": value} for name, value in fields.items()]
        print_rows(title, rows, ("field", "value"), as_json=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
