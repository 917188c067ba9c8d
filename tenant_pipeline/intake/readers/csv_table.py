"""Delimited text in its dialects: delimiter, quotes and tables are found by looking at the first lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO

from tenant_pipeline.intake.readers.item import Items, Problem
from tenant_pipeline.intake.readers.tables_in_grid import Row, grid_items
from tenant_pipeline.intake.text_encoding import text_lines

DELIMITERS = ",;\t|^~"
SAMPLE_LINES = 60
LONGEST_LINE = 16 * 1024 * 1024
MOST_LINES_A_ROW = 2_000
"""A row of more lines has a quote that nobody closed."""

_NAMED_DELIMITER = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def read_csv(stream: BinaryIO, encoding: str) -> Items:
    """Rows as records, of one table or of several under each other.

    A row with more cells than the header has is a problem; a shorter one lacks values. A quote that is never closed
    costs the line it stands in, not the rest of the file.
    """
    csv.field_size_limit(LONGEST_LINE)
    text = text_lines(stream, encoding)
    sample = list(islice(text, SAMPLE_LINES))
    lines = _Lines(chain(sample, text))
    named = _NAMED_DELIMITER.fullmatch(sample[0]) if sample else None
    if named:
        next(iter(lines))
    delimiter = named[1] if named else delimiter_of(sample)
    quote = _quote_of(sample, delimiter)
    problems: list[Problem] = []
    for item in grid_items(_rows(lines, delimiter, quote, problems), "", "row={}".format, cells_may_shift=True):
        yield from problems
        problems.clear()
        yield item
    yield from problems


def _rows(lines: _Lines, delimiter: str, quote: str, problems: list[Problem]) -> Iterator[tuple[int, Row]]:
    """The rows with their numbers, which count rows and not lines. What cannot be parsed goes to `problems`."""
    number = 0
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    while True:
        lines.row.clear()
        try:
            row = next(reader)
            broken = lines.runaway or (lines.at_end and _is_unclosed(lines.row, delimiter, quote))
            problem = ("unclosed-quote", "The row has a quote that is never closed.")
        except StopIteration:
            return
        except csv.Error:
            broken, problem = True, ("broken-row", "The row cannot be made sense of, or is too long.")
        number += 1
        if not broken:
            yield number, row
            continue
        problems.append(Problem(f"row={number}", *problem))
        lines.skip_first_of_row()
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)


class _Lines:
    """The lines of a text, those of the row in hand kept so that they can be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: list[str] = []
        self.row: list[str] = []
        self.runaway = False
        self.at_end = False

    def __iter__(self) -> Iterator[str]:
        row = self.row
        while self._again:
            row.append(self._again.pop())
            yield row[-1]
        for line in self._lines:
            row.append(line)
            yield line
            if len(row) > MOST_LINES_A_ROW:
                self.runaway = True
                return
        self.at_end = True

    def skip_first_of_row(self) -> None:
        """Give the lines of the row in hand back, but for its first."""
        self._again.extend(reversed(self.row[1:]))
        self.row.clear()
        self.at_end = self.runaway = False


def _is_unclosed(row: Sequence[str], delimiter: str, quote: str) -> bool:
    """Whether the last row of a text, of several lines, ends within quotes."""
    if len(row) < 2:
        return False
    try:
        for _ in csv.reader(row, delimiter=delimiter, quotechar=quote, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


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


def _quote_of(sample: Sequence[str], delimiter: str) -> str:
    """The apostrophe where it stands around cells and the quotation mark does not."""
    cells = [cell for line in sample for cell in line.strip().split(delimiter) if cell]
    around = {q: min(sum(cell[0] == q for cell in cells), sum(cell[-1] == q for cell in cells)) for q in ('"', "'")}
    return "'" if around["'"] > 1 and not around['"'] else '"'
