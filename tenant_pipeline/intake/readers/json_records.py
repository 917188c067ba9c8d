"""JSON: arrays of objects as records, streamed; nested objects flattened to dotted fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import ijson

from tenant_pipeline.intake.readers.item import MOST_FIELDS, MOST_TABLES, Item, Items, Problem, UnreadableError, text_of
from tenant_pipeline.intake.readers.parser_guard import refused_as, until_broken
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.text_encoding import as_utf8

DEEPEST = 64
MOST_BESIDE = 1_000_000
"""So many names and values may stand in one place beside an object's tables."""
_BEGINS = ("start_map", "start_array")
_ENDS = ("end_map", "end_array")
READ_BYTES = 1024 * 1024
"""So much is parsed at a time: what of a long text came before is copied with each further piece of it."""


@until_broken("broken-json", "The JSON breaks off, or is not well-formed or too deeply nested.")
def read_json(stream: BinaryIO, encoding: str) -> Items:
    """An array's elements; an object's arrays of objects, each a table, and what it holds beside them as one record; an
    object of nothing but objects, each a record."""
    stream = as_utf8(stream, encoding)
    first = first_character(stream)
    if first == b"[":
        for position, value in enumerate(ijson.items(stream, "item", buf_size=READ_BYTES)):
            yield _item("", f"/{position}", value)
    elif first == b"{":
        members = _members(stream)
        first_character(stream)
        yield from _object(stream, members)
    else:
        yield _item("", "/", json.load(stream))


def read_ndjson(stream: BinaryIO, encoding: str) -> Items:
    """One JSON object a line; a line that is none is a problem."""
    for number, line in enumerate(as_utf8(stream, encoding), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield Problem(f"line={number}", "broken-line", "The line is not JSON.")
            continue
        yield _item("", f"line={number}", value)


def json_items(stream: BinaryIO, path: str) -> Iterator[Any]:
    """What lies at a path of ijson's, streamed from the beginning. Raises UnreadableError for what is not JSON."""
    first_character(stream)
    with refused_as("broken-json", "The JSON is not well-formed or too deeply nested."):
        yield from ijson.items(stream, path, buf_size=READ_BYTES)


def flatten(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str | None]:
    """Nested objects as dotted fields; lists of scalars joined by `; `, other lists as JSON text."""
    flat: dict[str, str | None] = {}
    for name, inner in value.items():
        field = storable(f"{prefix}{name}" if prefix else name)
        if type(inner) is str:
            flat[field] = storable(inner) or None
        elif isinstance(inner, dict) and depth < DEEPEST:
            flat.update(flatten(inner, f"{field}.", depth + 1))
        elif isinstance(inner, list) and not any(isinstance(each, dict | list) for each in inner):
            flat[field] = storable("; ".join(text for text in map(text_of, inner) if text)) or None
        elif isinstance(inner, list | dict):
            flat[field] = storable(json.dumps(inner, ensure_ascii=False, default=float))
        else:
            flat[field] = storable(text_of(inner) or "") or None
    return flat


def _item(table: str, locator: str, value: Any) -> Item:
    return Item(table, locator, flatten(value if isinstance(value, dict) else {"value": value}))


class _Members(NamedTuple):
    """What a top-level object holds: under which names arrays with objects in them, and under which more than may stand
    beside those; and whether it holds objects and nothing else."""

    arrays: set[str]
    large: set[str]
    only_objects: bool


def _members(stream: BinaryIO) -> _Members:
    """Look at the top-level object without building what it holds. Raises UnreadableError."""
    arrays: set[str] = set()
    large: set[str] = set()
    objects = others = depth = since = 0
    name = holder = ""
    for number, (event, value) in enumerate(ijson.basic_parse(stream, buf_size=READ_BYTES)):
        if event == "map_key":
            if depth == 1:
                name, since = value, number
        elif event in _BEGINS:
            if depth == 1:
                holder = event
                objects += event == "start_map"
                others += event != "start_map"
            elif depth == 2 and event == "start_map" and holder == "start_array":
                arrays.add(name)
                if len(arrays) > MOST_TABLES:
                    raise UnreadableError("too-many-tables", "It holds too many different tables; hand it in in parts.")
            depth += 1
        elif event in _ENDS:
            depth -= 1
            if depth == 1 and number - since > MOST_BESIDE:
                large.add(name)
        elif depth == 1:
            others += 1
    return _Members(arrays, large, bool(objects) and not others)


def _object(stream: BinaryIO, members: _Members) -> Items:
    """The records of the top-level object, one after the other; what is no table is held until its end.

    Beside tables, more than a record may hold is a problem: it costs no table.
    """
    positions = dict.fromkeys(members.arrays, 0)
    rest: dict[str, Any] = {}
    events = ijson.basic_parse(stream, buf_size=READ_BYTES)
    next(events)
    for ends, name in events:
        if ends == "end_map":
            break
        key = storable(name)
        event, value = next(events)
        if event == "start_array" and name in positions:
            for each in _elements(events):
                yield _item(key, f"/{key}/{positions[name]}", each)
                positions[name] += 1
        elif positions and name in members.large:
            _pass_over(events)
            yield Problem(f"/{key}", "too-large", "What stands there beside the tables is too much for one record.")
        elif members.only_objects:
            yield Item("", f"/{key}", {"key": key, **flatten(_built(event, value, events))})
        else:
            rest[name] = _built(event, value, events)
    values = flatten(rest)
    if positions and len(values) > MOST_FIELDS:
        yield Problem("/", "too-many-fields", "What stands beside its tables has too many different fields.")
    elif any(values.values()) or not (positions or members.only_objects):
        yield Item("", "/", values)


def _pass_over(events: Iterator[tuple[str, Any]]) -> None:
    depth = 1
    while depth:
        event, _ = next(events)
        depth += (event in _BEGINS) - (event in _ENDS)


def _elements(events: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    for event, value in events:
        if event == "end_array":
            return
        yield _built(event, value, events)


def _built(event: str, value: Any, events: Iterator[tuple[str, Any]]) -> Any:
    """The value that begins with an event. ijson's own building goes by paths, which a dot in a key makes ambiguous."""
    if event == "start_array":
        return list(_elements(events))
    if event != "start_map":
        return value
    built: dict[str, Any] = {}
    name = ""
    for each, inner in events:
        if each == "map_key":
            name = inner
        elif each == "end_map":
            break
        else:
            built[name] = _built(each, inner, events) if each in _BEGINS else inner
    return built


def first_character(stream: BinaryIO) -> bytes:
    """The first character that is not a space; the stream stands behind the byte order mark afterwards."""
    head = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    stream.seek(3 if stream.seek(0) == 0 and stream.read(3) == b"\xef\xbb\xbf" else 0)
    return head[:1]
