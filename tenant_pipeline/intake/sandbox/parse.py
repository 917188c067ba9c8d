"""What a parser does in its process: find out what a file is, profile it, or send its records."""

from __future__ import annotations

import io
import json
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import pyarrow as pa

from tenant_pipeline.core.standardise.language import language_by_script
from tenant_pipeline.intake.formats import identify_format
from tenant_pipeline.intake.readers.item import MOST_FIELDS, MOST_TABLES, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.registry import READERS
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.sandbox.frames import (
    FAILED,
    PROBLEMS,
    READ_BYTES,
    REQUEST,
    RESULT,
    ROWS,
    UNREADABLE,
    BrokenFramesError,
    Channel,
    RemoteFile,
)
from tenant_pipeline.intake.sandbox.limits import ParserLimits, confine
from tenant_pipeline.intake.text_encoding import odd_bytes_decoded

CELLS_HELD = 400_000
TEXT_HELD = 8_000_000
"""So many cells, and characters, of all tables are held before they are sent: narrow tables of short texts go out in
longer batches than others."""
FEW_ODD_BYTES = 20
MOST_ODD_BYTES = 0.05
"""Of the bytes beyond ASCII, as many may belong to another encoding than the text's before that is told."""
PROBLEMS_A_FRAME = 1_000
LANGUAGE_SAMPLE = 4_000


def serve_request(descriptor: int, held: int) -> None:
    """Answer the one request that comes over the socket, confined for good before the file's first byte is read.

    `held` are the bytes of address space that this process held before there was a request.
    """
    with socket.socket(fileno=descriptor) as connection:
        channel = Channel(
            cast(BinaryIO, connection.makefile("rb", buffering=READ_BYTES)),
            cast(BinaryIO, connection.makefile("wb", buffering=READ_BYTES)),
        )
        try:
            kind, payload = channel.receive()
            if kind != REQUEST:
                return
            request = json.loads(payload)
            confine(ParserLimits(**request["limits"]), request["size"], held)
            sys.set_int_max_str_digits(
                0
            )  # ijson breaks down over a number that Python refuses; the CPU time is bounded
            stream = cast(BinaryIO, io.BufferedReader(RemoteFile(channel, request["size"]), READ_BYTES))
            _answer(channel, request, stream)
        except BrokenFramesError:
            return


def _answer(channel: Channel, request: Mapping[str, Any], stream: BinaryIO) -> None:
    try:
        if request["do"] == "profile":
            result = profile(stream, request["path"], request["samples"])
        else:
            result = _send_records(channel, stream, request)
    except BrokenFramesError:
        raise
    except UnreadableError as unreadable:
        channel.send(UNREADABLE, json.dumps([unreadable.code, unreadable.reason]).encode())
    except MemoryError:
        channel.send(UNREADABLE, json.dumps(["parser-memory", TOO_MUCH_MEMORY]).encode())
    except RecursionError:
        channel.send(UNREADABLE, json.dumps(["nested-too-deep", "It is nested too deeply to be read."]).encode())
    except Exception as error:  # a parser may raise anything on hostile input; it is this file's end, not the run's
        channel.send(FAILED, type(error).__name__.encode())
    else:
        channel.send(RESULT, json.dumps(result, ensure_ascii=False, default=str).encode("utf-8", "replace"))


TOO_MUCH_MEMORY = "Reading it takes more memory than a document may; hand it in in parts."


@dataclass
class _Profiled:
    """What is known of a table while its records go by."""

    fields: dict[str, None] = field(default_factory=dict)
    rows: int = 0
    samples: list[dict[str, str | None]] = field(default_factory=list)


def profile(stream: BinaryIO, path: str, samples: int) -> dict[str, Any]:
    """What a file is and what lies in it: format, encoding, language, and its tables with their fields and rows.

    The first `samples` records of each table and the first `samples` problems come along. Raises UnreadableError.
    """
    found = identify_format(stream, path)
    stream.seek(0)
    tables: dict[tuple[str, str], _Profiled] = {}
    problems: list[tuple[str, str, str]] = []
    troubled = 0
    text = ""
    for item in _items(stream, found.reader, found.encoding):
        if isinstance(item, Problem):
            troubled += 1
            if len(problems) < samples:
                problems.append((item.locator, item.code, item.reason))
            continue
        table = tables.get((item.table, item.shape))
        if table is None:
            if len(tables) == MOST_TABLES:
                raise UnreadableError("too-many-tables", "It holds too many different tables; hand it in in parts.")
            table = tables[item.table, item.shape] = _Profiled()
        if not item.values.keys() <= table.fields.keys():
            table.fields.update(dict.fromkeys(item.values))
            if len(table.fields) > MOST_FIELDS:
                raise UnreadableError("too-many-fields", "Its records have too many different fields.")
        table.rows += 1
        if len(table.samples) < samples:
            table.samples.append({"#": item.locator, **item.values})
        if len(text) < LANGUAGE_SAMPLE:
            text += " ".join(value for value in item.values.values() if value)[:LANGUAGE_SAMPLE]
    if not tables:
        raise UnreadableError("nothing-in-it", "There is no record and no text in it.")
    return {
        "reader": found.reader,
        "media_type": found.media_type,
        "encoding": found.encoding,
        "confidence": round(found.confidence, 3),
        "language": language_by_script(text),
        "problems": troubled,
        "first_problems": problems,
        "tables": [
            {"name": name, "shape": shape, "fields": list(table.fields), "rows": table.rows, "samples": table.samples}
            for (name, shape), table in sorted(tables.items())
        ],
    }


def _send_records(channel: Channel, stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send every record in batches of its table, and every problem."""
    batches = {
        (table["name"], table["shape"]): _Batch(channel, number, table["fields"])
        for number, table in enumerate(request["tables"])
    }
    problems: list[tuple[str, str, str]] = []
    cells = characters = 0
    for item in _items(stream, request["reader"], request["encoding"]):
        if isinstance(item, Item):
            batch = batches[item.table, item.shape]
            characters += batch.add(item)
            cells += batch.width
            if cells >= CELLS_HELD or characters >= TEXT_HELD:
                _send(batches.values())
                cells = characters = 0
            continue
        problems.append((item.locator, item.code, item.reason))
        if len(problems) == PROBLEMS_A_FRAME:
            channel.send(PROBLEMS, json.dumps(problems).encode())
            problems.clear()
    _send(batches.values())
    if problems:
        channel.send(PROBLEMS, json.dumps(problems).encode())
    return {}


def _items(stream: BinaryIO, reader: str, encoding: str) -> Items:
    """What a reader finds; and a problem where much of the text is not in the encoding that it was read in."""
    before = odd_bytes_decoded()
    yield from READERS[reader](stream, encoding)
    odd = odd_bytes_decoded() - before
    if odd > FEW_ODD_BYTES and odd > MOST_ODD_BYTES * _bytes_beyond_ascii(stream):
        yield Problem(
            "encoding",
            "mixed-encodings",
            "Parts of the text are in another encoding; save it anew in one, best in UTF-8.",
        )


def _bytes_beyond_ascii(stream: BinaryIO) -> int:
    stream.seek(0)
    return sum(len(piece.translate(None, _ASCII)) for piece in iter(lambda: stream.read(READ_BYTES), b""))


_ASCII = bytes(range(0x80))


class _Batch:
    """Records of one table on their way, column by column."""

    def __init__(self, channel: Channel, number: int, fields: Sequence[str]) -> None:
        self._channel = channel
        self._number = number
        self._fields = fields
        self.width = len(fields) + 1
        self._locators: list[str] = []
        self._rows: list[tuple[str | None, ...]] = []

    def add(self, item: Item) -> int:
        """Take in a record, and tell how many characters it has."""
        row = tuple(map(item.values.get, self._fields))
        self._locators.append(item.locator)
        self._rows.append(row)
        return len(item.locator) + sum(map(len, filter(None, row)))

    def send(self) -> None:
        """Send what is held."""
        if not self._locators:
            return
        columns = [_text_array(self._locators), *map(_text_array, zip(*self._rows, strict=True))]
        self._locators = []
        self._rows = []
        batch = pa.record_batch(columns, names=[str(position) for position in range(len(columns))])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        self._channel.send(ROWS, self._number.to_bytes(4, "big") + sink.getvalue().to_pybytes())


def _send(batches: Iterable[_Batch]) -> None:
    for batch in batches:
        batch.send()


def _text_array(values: Sequence[str | None]) -> pa.Array:
    """The values as an array of text that every store can hold.

    `pa.array` would load pandas first, a second in every parser.
    """
    try:
        array = _array(values)
    except UnicodeEncodeError:
        return _array([value and storable(value) for value in values])
    text = array.buffers()[2]
    if text is not None and b"\0" in text.to_pybytes():
        return _array([value and storable(value) for value in values])
    return array


def _array(values: Sequence[str | None]) -> pa.Array:
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()
