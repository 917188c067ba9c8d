"""Names of places, venues and organisations in a folder: none of them is a person, whoever it is named after.

Read are strings under a key `name` (`names`, `stop_name_th`, …) of JSON, the column so named of CSV, `name=` of a
wiki's listing templates, and `COL name VAL` of the entity matching sets.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_KEY = re.compile(r"(?:.*[_#/ ])?names?(?:[_ ].*)?", re.IGNORECASE)
_WIKI = re.compile(r"\|\s*name\s*=\s*([^|\n{}\[\]]+)")
_MATCHING = re.compile(r"COL name VAL (.*?) COL ")
_PRIMARY = "primary"
_LONGEST = 200


def place_names(folder: Path) -> list[str]:
    """The distinct names in the folder's files, sorted. Files that cannot be read as text are left out."""
    names: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _READERS:
            try:
                text = path.read_text(encoding="utf-8-sig")
            except UnicodeDecodeError:
                continue
            names.update(name.strip() for name in _READERS[path.suffix](text))
    return sorted(name for name in names if 0 < len(name) <= _LONGEST)


def _of_json(text: str) -> Iterator[str]:
    yield from _below(json.loads(text))


def _of_json_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip():
            yield from _below(json.loads(line))


def _below(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _below(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if _KEY.fullmatch(key):
                yield from _named(inner)
            else:
                yield from _below(inner)


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and isinstance(value.get(_PRIMARY), str):
        yield value[_PRIMARY]
    elif isinstance(value, dict):
        yield from (inner for inner in value.values() if isinstance(inner, str))


def _of_csv(text: str) -> Iterator[str]:
    first = text.split("\n", 1)[0]
    delimiter = max(",|;\t", key=first.count)
    for row in csv.DictReader(text.splitlines(), delimiter=delimiter):
        yield from (value for key, value in row.items() if key and value and _KEY.fullmatch(key.strip()))


def _of_text(text: str) -> Iterator[str]:
    yield from _WIKI.findall(text)
    yield from (name.strip(" `'\"") for name in _MATCHING.findall(text))


_READERS = {".json": _of_json, ".geojson": _of_json, ".jsonl": _of_json_lines, ".csv": _of_csv, ".txt": _of_text}
