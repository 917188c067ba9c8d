"""The forms of gold data that are read: ours (JSON lines), presidio-research's (JSON), Thai NER's (tags in texts).

A file's content says which of them it is, so a data set needs no register.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.pii.gold import GoldSet, GoldText, Span
from tenant_pipeline.evaluation.pii.inline_tagged import inline_tagged, is_inline_tagged
from tenant_pipeline.pii.analyzer import language_of

_LANGUAGES = ("th", "en", "zh")
_REMEDY = "See docs/evaluate/pii.md for the form of gold data."


def read_gold(path: Path, name: str) -> GoldSet | None:
    """The gold data in a file, or None when it is none. Raises InputError for a broken line or span of ours."""
    if path.suffix == ".jsonl":
        return _own(path, name)
    if path.suffix == ".json":
        return _presidio_research(path, name)
    if path.suffix == ".txt":
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        if is_inline_tagged(lines):
            texts = (inline_tagged(line, f"{path.name}:{n}") for n, line in enumerate(lines, 1) if line.strip())
            return GoldSet(name, tuple(texts), {})
    return None


def _own(path: Path, name: str) -> GoldSet | None:
    texts: list[GoldText] = []
    types: dict[str, str | None] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        place = f"{path.name}:{number}"
        entry = _object(line, place)
        if "types" in entry and "text" not in entry:
            types.update(entry["types"])
        elif "text" in entry and "spans" in entry:
            texts.append(_text(entry, place))
        elif not texts:
            return None
        else:
            raise InputError("The line has no `text` with `spans`", where=place, remedy=_REMEDY)
    return GoldSet(name, tuple(texts), types) if texts else None


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        raise InputError("The line is no JSON", where=place, remedy=_REMEDY) from None
    if not isinstance(entry, dict):
        raise InputError("The line is no JSON object", where=place, remedy=_REMEDY)
    return entry


def _text(entry: dict[str, Any], place: str) -> GoldText:
    text, language = entry["text"], entry.get("language")
    if language not in _LANGUAGES:
        raise InputError("`language` must be th, en or zh", where=place, remedy=_REMEDY)
    spans = []
    for span in entry["spans"]:
        start, end = span.get("start"), span.get("end")
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text) and "type" in span):
            raise InputError("A span needs `type`, `start` and `end` within the text", where=place, remedy=_REMEDY)
        spans.append(Span(start, end, span["type"]))
    return GoldText(text, language, tuple(sorted(spans)), place, entry.get("source", ""))


def _presidio_research(path: Path, name: str) -> GoldSet | None:
    entries = json.loads(path.read_text(encoding="utf-8"))
    if not (isinstance(entries, list) and entries and isinstance(entries[0], dict)):
        return None
    if not {"full_text", "spans"} <= entries[0].keys():
        return None
    return GoldSet(name, tuple(_research_texts(entries, path.name)), {})


def _research_texts(entries: list[dict[str, Any]], file: str) -> Iterator[GoldText]:
    for number, entry in enumerate(entries, 1):
        spans = (Span(s["start_position"], s["end_position"], s["entity_type"]) for s in entry["spans"])
        text = entry["full_text"]
        yield GoldText(text, language_of(text), tuple(sorted(spans)), f"{file}:{number}")
