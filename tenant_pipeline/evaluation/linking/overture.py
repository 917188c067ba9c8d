"""Pairs of place records as Overture conflates them: each row holds two sources' records of one place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenant_pipeline.evaluation.linking.tables import GoldTables, Pair, record
from tenant_pipeline.linking.features import Features


def overture_pairs(path: Path, name: str) -> GoldTables:
    """The left and right records of all rows as two tables; the row says which are one place."""
    left: dict[str, Features] = {}
    right: dict[str, Features] = {}
    rows: dict[str, dict[str, str]] = {}
    matches: set[Pair] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        one, other = f"l:{number}", f"r:{number}"
        for side, id_, prefix in ((left, one, ""), (right, other, "base_")):
            said = [each for each in _said(row, prefix) if each[1]]
            side[id_] = record(id_, "Place", said)
            rows[id_] = {property_: value for property_, value, _ in said}
        matches.add((one, other))
    return GoldTables(name, left, right, frozenset(matches), rows=rows)


def _said(row: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    names = _parsed(row, f"{prefix}names")
    if names:
        yield "name", names.get("primary") or "", ""
        for text in (names.get("common") or {}).values() if isinstance(names.get("common"), dict) else ():
            yield "alternateName", text, ""
    for column, property_ in (("websites", "url"), ("socials", "url"), ("phones", "telephone"), ("emails", "email")):
        for value in _parsed(row, prefix + column) or ():
            yield property_, value, ""
    for address in _parsed(row, f"{prefix}addresses") or ():
        for key, property_ in (
            ("freeform", "address"), ("locality", "addressLocality"), ("region", "addressRegion"),
            ("postcode", "postalCode"), ("country", "addressCountry"),
        ):  # fmt: skip
            yield property_, address.get(key) or "", ""


def _parsed(row: Mapping[str, Any], column: str) -> Any:
    return json.loads(row[column]) if row.get(column) else None
