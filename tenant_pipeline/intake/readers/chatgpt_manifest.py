"""The manifest of a ChatGPT export that is split into parts: which file is a part of what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text
from tenant_pipeline.intake.readers.item import Item, Items, Problem, text_of

PARTS = "parts"
_LISTS = ("files", "parts", "export_files")


def manifest_items(manifest: Mapping[str, Any], place: str) -> Items:
    """A record for each file that the manifest names, or a problem where it names none."""
    parts: dict[str, tuple[str, str | None, str | None]] = {}
    for at, logical, entry in _entries(manifest, place):
        file = as_map(entry)
        path = as_text(entry) or as_text(file.get("path")) or as_text(file.get("name"))
        if path is None:
            yield Problem(at, "broken-part", "The manifest's entry names no file.")
            continue
        size = next((file[key] for key in ("size_bytes", "size", "bytes") if isinstance(file.get(key), int)), None)
        first, belongs, known = parts.get(path, (at, None, None))
        parts[path] = (first, belongs or logical, known or text_of(size))
    for path, (at, logical, told) in parts.items():
        yield Item(PARTS, at, {"file": path, "part of": logical, "size": told})
    if not parts:
        yield Problem(place, "not-a-conversation", "The element is no conversation and no manifest.")


def _entries(manifest: Mapping[str, Any], place: str) -> Iterator[tuple[str, str | None, Any]]:
    """Each entry with its place and the file that it is a part of, where the manifest says so."""
    for logical, about in as_map(manifest.get("logical_files")).items():
        pointer = f"{place}/logical_files/{logical.replace('~', '~0').replace('/', '~1')}"
        for position, entry in enumerate(as_list(as_map(about).get("files"))):
            yield f"{pointer}/files/{position}", logical, entry
    for key in _LISTS:
        for position, entry in enumerate(as_list(manifest.get(key))):
            yield f"{place}/{key}/{position}", None, entry
