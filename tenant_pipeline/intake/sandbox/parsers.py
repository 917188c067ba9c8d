"""The pipeline's side of the sandbox: hand a file to a parser, take in what it finds, and say how it ended."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import pyarrow as pa

import tenant_pipeline
from tenant_pipeline.core.errors import SourceStoppedError
from tenant_pipeline.intake.readers.item import Problem, UnreadableError
from tenant_pipeline.intake.sandbox.frames import (
    DATA,
    FAILED,
    PROBLEMS,
    READ,
    READ_BYTES,
    REQUEST,
    RESULT,
    ROWS,
    UNREADABLE,
    BrokenFramesError,
    Channel,
    span_asked,
)
from tenant_pipeline.intake.sandbox.limits import ParserLimits

LONGEST_REASON = 300
_TOO_LONG = ("parser-time", "Reading it takes longer than a document may; hand it in in parts.")
_ENDED_BY = {
    int(signal.SIGXCPU): _TOO_LONG,
    int(signal.SIGALRM): _TOO_LONG,
    int(signal.SIGKILL): ("parser-killed", "Reading it takes more time or memory than there is; hand it in in parts."),
}
_CRASHED = ("parser-crashed", "Its parser broke down over it, or for want of memory; save it anew, or in parts.")

_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve more address space than a parser may have
}


class ParserServer:
    """A running parser server: started once, it forks a parser for each file."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        root = str(Path(tenant_pipeline.__file__).parents[1])
        with theirs:
            subprocess.Popen(
                [sys.executable, "-m", "tenant_pipeline.intake.sandbox.server", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env={"PYTHONPATH": root, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
            )
        self._control = ours
        self._lock = threading.Lock()

    def connect(self) -> tuple[socket.socket, int]:
        """A socket to a new parser, and the pipe that will tell how it ended. Raises OSError without a server."""
        ours, theirs = socket.socketpair()
        status, status_theirs = os.pipe()
        try:
            with theirs, self._lock:
                socket.send_fds(self._control, [b"parse"], [theirs.fileno(), status_theirs])
        except OSError:
            ours.close()
            os.close(status)
            raise
        finally:
            os.close(status_theirs)
        return ours, status


_servers: dict[int, ParserServer] = {}
_starting = threading.Lock()


def _connect() -> tuple[socket.socket, int]:
    """A new parser of this process's server, which is started when it is first needed, or was killed."""
    for _ in range(2):
        with _starting:
            server = _servers.get(os.getpid())
            if server is None:
                server = _servers[os.getpid()] = ParserServer()
        try:
            return server.connect()
        except OSError:
            with _starting:
                if _servers.get(os.getpid()) is server:
                    del _servers[os.getpid()]
    raise SourceStoppedError(
        "No parser can be started", where="parsers", remedy="See that processes can be started here, then run it again."
    )


def profile(stream: BinaryIO, path: str, *, samples: int = 0, limits: ParserLimits | None = None) -> dict[str, Any]:
    """What a parser finds in a file: see `sandbox.parse.profile`.

    Raises UnreadableError with the reader's reason, or for a parser that was ended: `parser-memory`, `parser-time`,
    `parser-crashed`, `parse-error`.
    """
    request = {"do": "profile", "path": path, "samples": samples}
    answers = _answers(stream, request, limits or ParserLimits())
    with closing(answers):
        for kind, payload in answers:
            if kind == RESULT:
                found: dict[str, Any] = json.loads(payload)
                return found
    raise UnreadableError(*_CRASHED)


def records(
    stream: BinaryIO,
    *,
    reader: str,
    encoding: str,
    tables: Sequence[Mapping[str, Any]],
    limits: ParserLimits | None = None,
) -> Iterator[tuple[int, pa.RecordBatch] | Problem]:
    """The records of a file in batches, each with the number of its table in `tables`; and its problems.

    A batch has the records' locators as its first column and the table's fields after it, all text. Raises
    UnreadableError as `profile` does.
    """
    request = {"do": "records", "reader": reader, "encoding": encoding, "tables": list(tables)}
    answers = _answers(stream, request, limits or ParserLimits())
    with closing(answers):
        for kind, payload in answers:
            if kind == ROWS:
                yield batch_of(payload, tables)
            elif kind == PROBLEMS:
                for locator, code, reason in json.loads(payload):
                    yield Problem(str(locator), str(code), str(reason)[:LONGEST_REASON])
            else:
                return


def batch_of(payload: bytes, tables: Sequence[Mapping[str, Any]]) -> tuple[int, pa.RecordBatch]:
    """The number of the table and the records of a frame, checked. Raises UnreadableError for what is neither."""
    number = int.from_bytes(payload[:4], "big")
    try:
        with pa.ipc.open_stream(pa.py_buffer(payload[4:])) as reader:
            batch = reader.read_next_batch()
        batch.validate(full=True)
    except (pa.ArrowException, StopIteration):
        raise UnreadableError(*_CRASHED) from None
    if number >= len(tables) or batch.num_columns != len(tables[number]["fields"]) + 1:
        raise UnreadableError(*_CRASHED)
    if any(column.type != pa.string() for column in batch.columns):
        raise UnreadableError(*_CRASHED)
    return number, batch


def _answers(
    stream: BinaryIO, request: Mapping[str, Any], limits: ParserLimits
) -> Generator[tuple[bytes, bytes], None, None]:
    """The frames of a parser, the pieces of the file that it asks for handed over in between."""
    size = stream.seek(0, io.SEEK_END)
    connection, status = _connect()
    try:
        with connection:
            channel = Channel(
                cast(BinaryIO, connection.makefile("rb", buffering=READ_BYTES)),
                cast(BinaryIO, connection.makefile("wb", buffering=READ_BYTES)),
            )
            try:
                channel.send(REQUEST, json.dumps({**request, "size": size, "limits": asdict(limits)}).encode())
                while True:
                    kind, payload = channel.receive()
                    if kind == READ:
                        offset, length = span_asked(payload)
                        stream.seek(offset)
                        channel.send(DATA, stream.read(length))
                    elif kind == UNREADABLE:
                        code, reason = json.loads(payload)
                        raise UnreadableError(str(code), str(reason)[:LONGEST_REASON])
                    elif kind == FAILED:
                        name = payload[:80].decode("ascii", "replace")
                        raise UnreadableError("parse-error", f"Its parser gave up ({name}).")
                    else:
                        yield kind, payload
                        if kind == RESULT:
                            return
            except BrokenFramesError:
                _raise_how_it_ended(connection, status)
    finally:
        os.close(status)


def _raise_how_it_ended(connection: socket.socket, status: int) -> NoReturn:
    connection.shutdown(socket.SHUT_RDWR)  # a parser that does not keep to the form ends here
    told = os.read(status, 1)
    raise UnreadableError(*_ENDED_BY.get(told[0] if told else 0, _CRASHED)) from None
