"""OpenAPI 2 and 3: the endpoints and the fields of the schemas as records, what the service is as a segment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, UnreadableError, text_of
from tenant_pipeline.intake.readers.parser_guard import refused_as, within_bounds
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.readers.yaml_records import yaml_documents
from tenant_pipeline.intake.text_encoding import text_of_bytes

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_VERSION = r"""["']?(?:openapi["']?\s*:\s*["']?3|swagger["']?\s*:\s*["']?2)"""
_FIRST = re.compile(r"\{?\s*" + _VERSION)
_IN_JSON = re.compile(r"""(?s)\{\s*\n([ \t]*)".*\n\1""" + _VERSION)
"""On a line of its own that is indented as the first key is."""
_IN_YAML = re.compile(r"""(?:(?:[ \t#%-][^\n]*|["'\w.$][\w.$"'-]*[ \t]*:[^\n]*|\r?)\n)*""" + _VERSION)
"""At the beginning of a line, below lines that are YAML's."""
_DEEPEST = 16


def looks_like_openapi(text: str, path: str) -> bool:
    """Whether a key of the whole document names the version of an OpenAPI description."""
    start = text[:65536].lstrip("\ufeff \t\r\n")
    if _FIRST.match(start):
        return True
    return "paths" in text and bool((_IN_JSON if start.startswith("{") else _IN_YAML).match(start))


@within_bounds
def read_openapi(stream: BinaryIO, encoding: str) -> Items:
    """The description's information, then its endpoints, then its schemas' fields; references are named, not loaded.

    Raises UnreadableError for what is neither JSON nor YAML, or describes no service.
    """
    text = text_of_bytes(stream.read(), encoding or "utf-8").lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        with refused_as("broken-json", "The JSON is not well-formed or too deeply nested."):
            document = json.loads(text)
    else:
        document = next(yaml_documents(text), None)
    if not isinstance(document, dict) or not ("openapi" in document or "swagger" in document):
        raise UnreadableError("not-openapi", "The file does not describe a service in OpenAPI's terms.")
    yield from _information(_mapping(document, "info"))
    yield from _endpoints(_mapping(document, "paths"))
    yield from _schemas(_mapping(document, "definitions"), "/definitions")
    yield from _schemas(_mapping(_mapping(document, "components"), "schemas"), "/components/schemas")


def _information(info: Mapping[str, Any]) -> Items:
    title, description = _text(info.get("title")), _text(info.get("description")) or _text(info.get("summary"))
    if title or description:
        values = {"title": title, "text": description or title, "version": _text(info.get("version"))}
        yield Item("info", "/info", values, SEGMENTS)


def _endpoints(paths: Mapping[str, Any]) -> Items:
    for path, operations in paths.items():
        for method in _METHODS:
            operation = operations.get(method) if isinstance(operations, dict) else None
            if isinstance(operation, dict):
                values = {
                    "path": storable(str(path)),
                    "method": method,
                    "name": _text(operation.get("operationId")),
                    "description": _text(operation.get("summary")) or _text(operation.get("description")),
                    "tags": _texts(operation.get("tags")),
                }
                yield Item("endpoints", f"/paths/{_pointer(path)}/{method}", values)


def _schemas(schemas: Mapping[str, Any], place: str) -> Items:
    for name, schema in schemas.items():
        about = {"schema": storable(str(name))}
        found = 0
        for pointer, field, described, required in _fields(schema, f"{place}/{_pointer(name)}"):
            found += 1
            values = {
                **about,
                "name": storable(field),
                "type": _type(described),
                "description": _text(described.get("description")) or _text(described.get("title")),
                "required": "true" if required else "false",
            }
            yield Item("schemas", pointer, values)
        if not found and isinstance(schema, dict):
            values = {**about, "type": _type(schema), "description": _text(schema.get("description"))}
            yield Item("schemas", f"{place}/{_pointer(name)}", values)


def _fields(schema: Any, place: str, depth: int = 0) -> Iterator[tuple[str, str, Mapping[str, Any], bool]]:
    """A schema's own fields, also those it takes over in place: pointer, name, description, whether required."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    required = schema.get("required")
    for name, described in _mapping(schema, "properties").items():
        needed = isinstance(required, list) and name in required
        yield (
            f"{place}/properties/{_pointer(name)}",
            str(name),
            described if isinstance(described, dict) else {},
            needed,
        )
    for kind in ("allOf", "oneOf", "anyOf"):
        parts = schema.get(kind)
        for position, part in enumerate(parts if isinstance(parts, list) else []):
            yield from _fields(part, f"{place}/{kind}/{position}", depth + 1)


def _type(schema: Mapping[str, Any], depth: int = 0) -> str | None:
    """The type in words: `string (date-time)`, `array of Hall`, or the name of the schema referred to."""
    reference = _text(schema.get("$ref"))
    if reference:
        return reference.rpartition("/")[2]
    named = _texts(schema.get("type"))
    inner = schema.get("items")
    if named == "array" and isinstance(inner, dict) and depth < _DEEPEST:
        return f"array of {_type(inner, depth + 1) or 'anything'}"
    form = _text(schema.get("format"))
    return f"{named} ({form})" if named and form else named


def _mapping(value: Mapping[str, Any], name: str) -> dict[Any, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(value: Any) -> str | None:
    if isinstance(value, dict | list):
        return None
    return storable(text_of(value) or "").strip() or None


def _texts(value: Any) -> str | None:
    return "; ".join(filter(None, map(_text, value))) or None if isinstance(value, list) else _text(value)


def _pointer(name: Any) -> str:
    return storable(str(name)).replace("~", "~0").replace("/", "~1")
