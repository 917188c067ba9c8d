"""A page of a travel guide in wikitext, and another parser's output for it as what should come out.

That parser leaves a listing which follows a flag within its bullet as raw text; what is found of those is left out of
the count, so that precision is measured over the sections that it did take apart.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenant_pipeline.evaluation.extraction.record import Record

FOLDER = Path("wikivoyage_boston", "src", "tests", "fixtures")
FIELDS = {
    "name": "name", "alt": "alt", "address": "address", "directions": "directions", "phone": "telephone",
    "tollfree": "tollfree", "email": "email", "fax": "fax", "url": "url", "hours": "hours", "price": "price",
    "lat": "latitude", "long": "longitude", "wikidata": "wikidata", "content": "description",
}  # fmt: skip
"""Its names of fields and ours."""


def expected_listings(guide: Mapping[str, Any]) -> list[Record]:
    """The listings in the other parser's tree, and the templates that it kept as such and that have a name."""
    records = []
    for number, node in enumerate(_nodes(guide)):
        properties = node.get("properties", {})
        if node["type"] == "listing":
            kind, fields = properties.get("type") or "listing", properties
        elif node["type"] == "template" and properties["params"].get("name"):
            kind, fields = properties["name"], properties["params"]
        else:
            continue
        values = {ours: unmarked(fields[theirs]) for theirs, ours in FIELDS.items() if theirs in fields}
        records.append(Record(f"node={number}", {**{k: v for k, v in values.items() if v}, "kind": kind}))
    return records


def left_raw(guide: Mapping[str, Any]) -> set[str]:
    """The names of the listings that stand in its text as they were written."""
    texts = [node["properties"].get("markdown") or "" for node in _nodes(guide) if node["type"] == "text"]
    return {name.strip() for name in re.findall(r"\{\{\s*listing\s*\|\s*name=([^|\n]*)", "\n".join(texts))}


def comparable(records: list[Record], raw: set[str]) -> list[Record]:
    """Of what was read, the listings that the other parser took apart, with the fields that both know."""
    known = {*FIELDS.values(), "kind"}
    return [
        Record(record.place, {name: value for name, value in record.values.items() if name in known})
        for record in records
        if "kind" in record.values and record.values.get("name") and record.values["name"] not in raw
    ]


def as_ours(record: Record) -> Record:
    """A listing's template as a plain parser has it, under our names and without markup, to be compared fairly."""
    values = {ours: unmarked(record.values[theirs]) for theirs, ours in FIELDS.items() if theirs in record.values}
    kind = record.values.get("type") or record.values["kind"]
    return Record(record.place, {**{name: value for name, value in values.items() if value}, "kind": kind})


def read_guide(folder: Path) -> Mapping[str, Any]:
    """The other parser's tree for the page in `folder`."""
    tree: Mapping[str, Any] = json.loads((folder / "boston_output.json").read_text(encoding="utf-8"))
    return tree


def unmarked(text: str) -> str:
    """A text without the wikitext and the Markdown that the other parser keeps."""
    text = re.sub(r"\{\{[^{}]*\}\}|<[^<>]*>|'{2,}|\*+", "", html.unescape(text))
    text = re.sub(r"\[\[(?:[^\[\]|]*\|)?([^\[\]]*)\]\]|\[([^\[\]]*)\]\((?:[^()]|\([^()]*\))*\)", r"\1\2", text)
    return " ".join(text.split())


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("children", ()):
        yield from _nodes(inner)
