"""Logs: one JSON object a line in every process, with what it is about; deny by default.

Our own lines are written to hold no value of a source and no secret. Other people's code knows nothing of that, so of
its lines only where they come from is kept, unless the logger is known to say nothing else. Of an exception its type
and its places are kept, and of ours the code: a driver's message quotes the row that it could not write.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.telemetry.about import what_about
from tenant_pipeline.telemetry.traces import current_trace

OWN = "tenant_pipeline"
SPOKEN = (OWN, "dagster", "uvicorn", "alembic")
"""Loggers whose messages are written out. Of all others, the place alone."""

_FRAMES = 8
_SECRETS = (
    (re.compile(r"(://[^\s:/@]*):[^\s@]*@"), r"\1:…@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "…"),
    (re.compile(r"(?i)\b(password|passwd|secret|token|api[_-]?key)(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&]+"), r"\1\2…"),
)


def without_secrets(text: str) -> str:
    """The text with passwords, tokens and keys taken out, wherever they have the form of one."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class JsonLines(logging.Formatter):
    """A record as one JSON object: when, how bad, which process, what, and what it is about."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line without a break."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": _message(record),
            **_of_dagster(record),
            **what_about(),
            **current_trace(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _exception(record.exc_info[1])
        return without_secrets(json.dumps(line, ensure_ascii=False, default=str))


class ShortLines(JsonLines):
    """A record as a person reads it at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The level and the message."""
        return without_secrets(f"{record.levelname.lower()}: {_message(record)}")


def log_to(stream: TextIO, process: str) -> None:
    """Have this process log to `stream`: JSON lines, or only what is wrong, in words, at a terminal.

    The last call counts. Loggers that others have set up hand their lines over.
    """
    at_terminal = stream.isatty()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ShortLines(process) if at_terminal else JsonLines(process))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OWN).setLevel(logging.WARNING if at_terminal else logging.INFO)
    for name in SPOKEN:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


def log_of_process(process: str) -> None:
    """Have this process log to its standard error."""
    log_to(sys.stderr, process)


def _message(record: logging.LogRecord) -> str:
    said = getattr(record, "dagster_meta", None)
    if isinstance(said, dict):  # its message would quote an exception's
        return str(said.get("orig_message") or "")
    if record.name.partition(".")[0] in SPOKEN:
        return record.getMessage()
    return f"{record.module}:{record.lineno} (a line of another's code, withheld)"


def _of_dagster(record: logging.LogRecord) -> dict[str, str]:
    """What Dagster says of a line that was logged in a run."""
    said = getattr(record, "dagster_meta", None)
    found = {} if not isinstance(said, dict) else {"run_id": said.get("run_id"), "asset": said.get("step_key")}
    return {name: value for name, value in found.items() if value}


def trace_of(error: BaseException) -> str:
    """Where in the code an exception came from, and what it came of, without its words: a row may be quoted there."""
    lines: list[str] = []
    at: BaseException | None = error
    while at is not None:
        lines += [type(at).__name__, *(f"  {place}" for place in _places(at))]
        at = at.__cause__
    return "\n".join(lines)


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def _exception(error: BaseException) -> dict[str, Any]:
    told: dict[str, Any] = {"type": type(error).__name__, "places": _places(error)}
    if isinstance(error, TenantRuntimeError):
        told["code"] = error.code
    if error.__cause__ is not None:
        told["because"] = _exception(error.__cause__)
    return told
