"""The manifest of a ChatGPT export that is split into parts: which file is a part of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text
from tenant_pipeline.intake.readers.item import Item, Items, Problem, text_of

PARTS = "parts"
_LISTS = ("files", "parts", "export_files")


def manifest_items(manifest: Mapping[str, Any], place: str) -> Items:
    """A record for each file that the manifest names, or a problem where it names none."""
    named = False
    for logical, entry in as_map(manifest.get("logical_files")).items():
        pointer = f"{place}/logical_files/{logical.replace('~', '~0').replace('/', '~1')}"
        files = as_list(as_map(entry).get("files")) or as_list(entry)
        for position, file in enumerate(files):
            for item in _part(file, logical, f"{pointer}/files/{position}"):
                named = named or isinstance(item, Item)
                yield item
    for key in _LISTS:
        for position, file in enumerate(as_list(manifest.get(key))):
            for item in _part(file, None, f"{place}/{key}/{position}"):
                named = named or isinstance(item, Item)
                yield item
    if not named:
        yield Problem(place, "not-a-conversation", "The element is no conversation and no manifest.")


def _part(file: Any, logical: str | None, place: str) -> Items:
    entry = as_map(file)
    path = as_text(file) or as_text(entry.get("path")) or as_text(entry.get("name"))
    if path is None:
        yield Problem(place, "broken-part", "The manifest's entry names no file.")
        return
    size = next((entry[key] for key in ("size_bytes", "size", "bytes") if isinstance(entry.get(key), int)), None)
    yield Item(PARTS, place, {"file": path, "part of": logical, "size": text_of(size)})
