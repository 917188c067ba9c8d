"""OData's answers in JSON: the entities, without what the protocol says about them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.item import Item, Items, UnreadableError
from tenant_pipeline.intake.readers.json_records import flatten, json_items
from tenant_pipeline.intake.readers.parser_guard import within_bounds

_MARKS = ('"@odata.', '"odata.metadata"', '"__metadata"', '"@context": "$metadata', '"@context":"$metadata')
_CONTEXTS = ("@odata.context", "@context", "odata.metadata")
_PLACES = ("value", "d.results", "d")
_ENTITY_SET = re.compile(r"#(?:[\w.]+/)?(\w+)")
_TICKS = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d+)?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def looks_like_odata(text: str, path: str) -> bool:
    """Whether the text begins as an object with OData's control information."""
    start = text.lstrip("\ufeff \t\r\n")[:20_000]
    return start.startswith("{") and any(mark in start for mark in _MARKS)


@within_bounds
def read_odata(stream: BinaryIO, encoding: str) -> Items:
    """The entities of a collection, or the one that the answer is. Raises UnreadableError for anything else."""
    table = _entity_set(stream)
    found = 0
    for place in _PLACES:
        for position, entity in enumerate(json_items(stream, f"{place}.item")):
            found += 1
            values = flatten(_entity(entity if isinstance(entity, dict) else {"value": entity}))
            yield Item(table, f"/{place.replace('.', '/')}/{position}", values)
        if found:
            return
    for answer in json_items(stream, ""):
        inner = answer.get("d", answer) if isinstance(answer, dict) else None
        values = flatten(_entity(inner)) if isinstance(inner, dict) else {}
        if not any(values.values()):
            raise UnreadableError("not-odata", "The answer holds no entity.")
        yield Item(table, "/d" if inner is not answer else "/", values)


def _entity_set(stream: BinaryIO) -> str:
    for name in _CONTEXTS:
        for context in json_items(stream, name):
            match = _ENTITY_SET.search(context) if isinstance(context, str) else None
            if match:
                return match[1]
    return "entities"


def _entity(value: Any) -> Any:
    """An entity without control information and links that were not followed; its dates as ISO 8601."""
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if "@" not in name and name != "__metadata"}
        return {
            name: _entity(each) for name, each in kept.items()
            if not name.startswith("odata.") and not (isinstance(each, dict) and "__deferred" in each)
        }  # fmt: skip
    if isinstance(value, list):
        return [_entity(each) for each in value]
    ticks = _TICKS.fullmatch(value) if isinstance(value, str) else None
    if ticks is None:
        return value
    try:
        return (_EPOCH + timedelta(milliseconds=int(ticks[1]))).isoformat()
    except OverflowError:
        return value
