"""Socrata's `rows.json`: rows as lists of values, their columns described ahead of them."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.item import Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.json_records import flatten, json_items
from tenant_pipeline.intake.readers.parser_guard import within_bounds
from tenant_pipeline.intake.readers.tables_in_grid import unique_names

_LOCATION = ("human_address", "latitude", "longitude")


def looks_like_socrata(text: str, path: str) -> bool:
    """Whether the text begins with the description of a view and its columns."""
    start = text.lstrip("\ufeff \t\r\n")
    return start.startswith("{") and '"meta"' in start[:200] and '"view"' in start[:400] and '"columns"' in start


@within_bounds
def read_socrata(stream: BinaryIO, encoding: str) -> Items:
    """Each row under its columns' names; hidden columns and Socrata's own are left out.

    Raises UnreadableError where no column is described.
    """
    columns = [each for each in json_items(stream, "meta.view.columns.item") if isinstance(each, dict)]
    flat = [flatten({"name": column.get("name") or column.get("fieldName") or ""}) for column in columns]
    names = unique_names([column["name"] or "" for column in flat])
    shown = [(place, name) for place, name in enumerate(names) if not _is_hidden(columns[place])]
    if not shown:
        raise UnreadableError("not-socrata", "The answer describes no column.")
    for position, row in enumerate(json_items(stream, "data.item")):
        if not isinstance(row, list) or len(row) != len(columns):
            yield Problem(f"/data/{position}", "ragged-row", "The row does not fit the answer's columns.")
            continue
        values: dict[str, Any] = {}
        for place, name in shown:
            values.update(_value(name, columns[place].get("dataTypeName"), row[place]))
        yield Item("data", f"/data/{position}", flatten(values))


def _is_hidden(column: dict[str, Any]) -> bool:
    flags = column.get("flags")
    return column.get("dataTypeName") == "meta_data" or (isinstance(flags, list) and "hidden" in flags)


def _value(name: str, kind: Any, value: Any) -> dict[str, Any]:
    """A value's fields: a location's are its address and its place, a link's its address, a telephone's its number."""
    if isinstance(value, list) and kind == "location":
        parts = dict(zip(_LOCATION, value, strict=False))
        address = _address(parts.get("human_address"))
        return {
            f"{name}.address": address,
            f"{name}.latitude": parts.get("latitude"),
            f"{name}.longitude": parts.get("longitude"),
        }
    if isinstance(value, list) and kind in ("url", "phone") and value:
        return {name: value[0]}
    if isinstance(value, dict) and value.get("type") == "Point" and isinstance(value.get("coordinates"), list):
        return {
            f"{name}.{axis}": each for axis, each in zip(("longitude", "latitude"), value["coordinates"], strict=False)
        }
    return {name: value}


def _address(text: Any) -> str | None:
    """An address, which comes as JSON in a text."""
    try:
        parts = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return text if isinstance(text, str) else None
    return ", ".join(str(part) for part in parts.values() if part) or None if isinstance(parts, dict) else None
