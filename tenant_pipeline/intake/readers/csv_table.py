"""CSV and its dialects: the delimiter and the header are found by looking at the first lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import chain, islice
from typing import BinaryIO

from tenant_pipeline.intake.readers.item import Item, Items, Problem

DELIMITERS = ",;\t|"
SAMPLE_LINES = 50
LONGEST_FIELD = 16 * 1024 * 1024

_DATA_LIKE = re.compile(r"[\d.,:/+\-\s%]*\d[\d.,:/+\-\s%]*|\S+@\S+|https?://\S+")


def read_csv(stream: BinaryIO, encoding: str) -> Items:
    """Rows as records. A row with more cells than the header has is a problem; a shorter one lacks values."""
    csv.field_size_limit(LONGEST_FIELD)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
    sample = list(islice(text, SAMPLE_LINES))
    rows = csv.reader(chain(sample, text), delimiter=delimiter_of(sample))
    number = 0
    header: Sequence[str] | None = None
    try:
        for row in rows:
            number += 1
            if not any(cell.strip() for cell in row):
                continue
            if header is None:
                header = _header(row)
                if header is row:
                    header = unique_names([cell.strip() for cell in row])
                    continue
                header = unique_names(header)
            if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
                yield Problem(f"row={number}", "ragged-row", "The row has more cells than the header.")
                continue
            cells = {name: cell or None for name, cell in zip(header, row, strict=False)}
            yield Item("", f"row={number}", cells)
    except csv.Error:
        yield Problem(f"row={number + 1}", "broken-row", "The row's quotes or its length cannot be made sense of.")


def delimiter_of(sample: Sequence[str]) -> str:
    """The delimiter that parts the most lines into the same number of cells, more than one."""

    def agreement(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        common = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        return (widths.count(common) if common > 1 else 0, common)

    try:
        return max(DELIMITERS, key=agreement)
    except csv.Error:
        return ","


def _header(row: list[str]) -> list[str]:
    """The row itself where it names columns; made names where its cells look like data."""
    filled = [cell.strip() for cell in row if cell.strip()]
    data = sum(bool(_DATA_LIKE.fullmatch(cell)) for cell in filled)
    if data * 2 >= len(filled) or len(set(filled)) < len(filled):
        return [f"column {position}" for position in range(1, len(row) + 1)]
    return row


def unique_names(names: Sequence[str]) -> list[str]:
    """The names of columns, each once: an empty one by its position, a repeated one with its number."""
    seen: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names, 1):
        base = name or f"column {position}"
        seen[base] = seen.get(base, 0) + 1
        unique.append(base if seen[base] == 1 else f"{base} ({seen[base]})")
    return unique
