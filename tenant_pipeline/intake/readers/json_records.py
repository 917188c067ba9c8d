"""JSON: arrays of objects as records, streamed; nested objects flattened to dotted fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import ijson

from tenant_pipeline.intake.readers.item import MOST_TABLES, Item, Items, Problem, UnreadableError, text_of
from tenant_pipeline.intake.readers.parser_guard import refused_as, until_broken
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.text_encoding import as_utf8

DEEPEST = 64
READ_BYTES = 1024 * 1024
"""So much is parsed at a time: what of a long text came before is copied with each further piece of it."""


@until_broken("broken-json", "The JSON breaks off, or is not well-formed or too deeply nested.")
def read_json(stream: BinaryIO, encoding: str) -> Items:
    """An array's objects; an object's arrays of objects, each a table; or an object as one record."""
    stream = as_utf8(stream, encoding)
    first = first_character(stream)
    if first == b"[":
        yield from _array(stream, "item", "", "")
        return
    arrays = _arrays_of_objects(stream)
    for name in arrays:
        stream.seek(0)
        yield from _array(stream, f"{name}.item", name, f"/{name}")
    if not arrays:
        stream.seek(0)
        value = json.load(stream)
        if isinstance(value, dict) and value and all(isinstance(each, dict) for each in value.values()):
            for name, each in value.items():
                yield Item("", f"/{name}", {"key": name, **flatten(each)})
        else:
            yield Item("", "/", flatten(value if isinstance(value, dict) else {"value": value}))


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
        yield Item("", f"line={number}", flatten(value if isinstance(value, dict) else {"value": value}))


def json_items(stream: BinaryIO, path: str) -> Iterator[Any]:
    """What lies at a path of ijson's, streamed from the beginning. Raises UnreadableError for what is not JSON."""
    first_character(stream)
    with refused_as("broken-json", "The JSON is not well-formed or too deeply nested."):
        yield from ijson.items(stream, path, use_float=True, buf_size=READ_BYTES)


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
            flat[field] = storable(json.dumps(inner, ensure_ascii=False))
        else:
            flat[field] = storable(text_of(inner) or "") or None
    return flat


def _array(stream: BinaryIO, path: str, table: str, pointer: str) -> Items:
    for position, value in enumerate(ijson.items(stream, path, use_float=True, buf_size=READ_BYTES)):
        yield Item(table, f"{pointer}/{position}", flatten(value if isinstance(value, dict) else {"value": value}))


def _arrays_of_objects(stream: BinaryIO) -> list[str]:
    """The names under which the top-level object holds arrays of objects, found without building them.

    Each is read by itself from the beginning, which is why there may not be very many. Raises UnreadableError.
    """
    names: dict[str, None] = {}
    for prefix, event, _ in ijson.parse(stream, use_float=True, buf_size=READ_BYTES):
        if event == "start_map" and prefix.endswith(".item") and prefix.count(".") == 1:
            names[prefix.removesuffix(".item")] = None
            if len(names) > MOST_TABLES:
                raise UnreadableError("too-many-tables", "It holds too many different tables.")
    return list(names)


def first_character(stream: BinaryIO) -> bytes:
    """The first character that is not a space; the stream stands behind the byte order mark afterwards."""
    head = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    stream.seek(3 if stream.seek(0) == 0 and stream.read(3) == b"\xef\xbb\xbf" else 0)
    return head[:1]
