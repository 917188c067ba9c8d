"""The listings of a real travel guide, held against another parser's output for the same page.

That parser leaves a listing which follows a flag within its bullet as raw text; precision is measured over the
sections that it did take apart.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.intake.readers.item import RECORDS, SEGMENTS, Item
from tenant_pipeline.intake.readers.wikitext import looks_like_wikitext, read_wikitext

GUIDE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "wikivoyage_boston" / "src/tests/fixtures"
pytestmark = pytest.mark.skipif(not GUIDE.is_dir(), reason="the shared travel guide is not beside this checkout")

FIELDS = {
    "alt": "alt", "address": "address", "directions": "directions", "phone": "telephone", "tollfree": "tollfree",
    "email": "email", "fax": "fax", "url": "url", "hours": "hours", "price": "price", "lat": "latitude",
    "long": "longitude", "wikidata": "wikidata", "content": "description",
}  # fmt: skip
LOWEST_RECALL = 1.0
LOWEST_PRECISION = 1.0
LOWEST_EQUAL_FIELDS = 0.99


def test_every_listing_is_found_and_nothing_else_is_taken_for_one() -> None:
    expected = {(_unmarked(name), kind) for name, kind, _ in _expected()}
    found = {(item.values["name"], item.table) for item in _read() if item.values["name"] not in _left_raw()}
    assert len(expected) == 44
    assert len(expected & found) / len(expected) >= LOWEST_RECALL
    assert len(expected & found) / len(found) >= LOWEST_PRECISION


def test_listings_that_the_other_parser_left_raw_are_found_too() -> None:
    assert len(_left_raw()) == 41
    assert _left_raw() <= {item.values["name"] for item in _read()}


def test_nearly_all_fields_are_equal_once_the_expected_ones_lose_their_markup() -> None:
    found = {(item.values["name"], item.table): item.values for item in _read()}
    pairs = [
        (_unmarked(fields[theirs]) or None, found[_unmarked(name), kind].get(ours))
        for name, kind, fields in _expected()
        for theirs, ours in FIELDS.items()
        if theirs in fields
    ]
    assert len(pairs) > 400
    assert sum(expected == read for expected, read in pairs) / len(pairs) >= LOWEST_EQUAL_FIELDS


def test_the_guide_is_known_as_wikitext_and_its_prose_repeats_no_listing() -> None:
    text = (GUIDE / "boston_input.txt").read_text()
    assert looks_like_wikitext(text, "boston_input.txt")
    with (GUIDE / "boston_input.txt").open("rb") as stream:
        prose = " ".join(
            str(item.values["text"])
            for item in read_wikitext(stream, "utf-8")
            if isinstance(item, Item) and item.shape == SEGMENTS
        )
    descriptions = [item.values["description"] for item in _read() if item.values.get("description")]
    assert len(descriptions) >= 25
    assert not [description for description in descriptions if str(description) in prose]


def _guide() -> Any:
    return json.loads((GUIDE / "boston_output.json").read_text())


def _read() -> list[Item]:
    with (GUIDE / "boston_input.txt").open("rb") as stream:
        items = [item for item in read_wikitext(stream, "utf-8") if isinstance(item, Item)]
    return [item for item in items if item.shape == RECORDS and "listing=" in item.locator and "kind" in item.values]


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("children", ()):
        yield from _nodes(inner)


def _left_raw() -> set[str]:
    """The names of the listings that stand in its text as they were written."""
    texts = [node["properties"].get("markdown") or "" for node in _nodes(_guide()) if node["type"] == "text"]
    return {name.strip() for name in re.findall(r"\{\{\s*listing\s*\|\s*name=([^|\n]*)", "\n".join(texts))}


def _expected() -> list[tuple[str, str, Mapping[str, str]]]:
    """Its listings, and the templates it kept as such that have a name: name, kind, fields."""
    expected = []
    for node in _nodes(_guide()):
        properties = node.get("properties", {})
        if node["type"] == "listing":
            expected.append((properties["name"], properties.get("type") or "listing", properties))
        elif node["type"] == "template" and properties["params"].get("name"):
            expected.append((properties["params"]["name"], properties["name"], properties["params"]))
    return expected


def _unmarked(text: str) -> str:
    """Its text without the wikitext and the Markdown that it keeps."""
    text = re.sub(r"\{\{[^{}]*\}\}|<[^<>]*>|'{2,}|\*+", "", html.unescape(text))
    text = re.sub(r"\[\[(?:[^\[\]|]*\|)?([^\[\]]*)\]\]|\[([^\[\]]*)\]\((?:[^()]|\([^()]*\))*\)", r"\1\2", text)
    return " ".join(text.split())
