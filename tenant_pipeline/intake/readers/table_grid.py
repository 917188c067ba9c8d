"""Tables with spanned cells: laid out as a grid, several header rows joined, each row a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tenant_pipeline.intake.readers.tables_in_grid import unique_names

MOST_COLUMNS = 200
"""A span may claim more columns than any table has; the grid ends here."""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, whether it heads its row or column, and how many columns and rows it covers."""

    text: str
    heads: bool = False
    width: int = 1
    height: int = 1


Row = tuple[int, Sequence[Cell]]
"""A row's number within its table, and its cells."""


def span(value: object) -> int:
    """What a `colspan` or `rowspan` says, 1 where it says nothing sensible."""
    digits = str(value or "").strip().strip("\"'")
    return max(1, int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 7 else 1


def table_records(rows: Sequence[Row], name: str | None) -> Iterator[tuple[int | None, dict[str, str | None]]]:
    """Each row below the header with its number; a table of labels beside values is one record without a number."""
    if not rows:
        return
    if all(len(cells) == 2 and cells[0].heads and not cells[1].heads for _, cells in rows):
        labels = unique_names([cells[0].text for _, cells in rows])
        values: dict[str, str | None] = {"name": name} if name else {}
        values.update({label: cells[1].text or None for label, (_, cells) in zip(labels, rows, strict=True)})
        yield None, values
        return
    grid = _expanded(rows)
    header: list[Sequence[Cell]] = []
    names: list[str] = []
    for number, cells in grid:
        if not names and (not header or all(cell.heads for cell in cells)):
            header.append(cells)
            if not all(cell.heads for cell in cells):
                names = _joined(header)
            continue
        names = names or _joined(header)
        record = {field: cell.text or None for field, cell in zip(names, cells, strict=False)}
        if any(record.values()):
            yield number, record


def _expanded(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows with each spanned cell in every place it covers."""
    above: dict[int, Cell] = {}
    for number, cells in rows:
        line: list[Cell] = []
        waiting = list(reversed(cells))
        below: dict[int, Cell] = {}
        while len(line) < MOST_COLUMNS and (waiting or any(column >= len(line) for column in above)):
            column = len(line)
            if column in above:
                taken = [above[column]]
            elif waiting:
                cell = waiting.pop()
                taken = [cell] * min(cell.width, MOST_COLUMNS - column)
            else:
                taken = [Cell("")]
            for place, cell in enumerate(taken, column):
                if cell.height > 1:
                    below[place] = replace(cell, height=cell.height - 1)
            line.extend(taken)
        above = below
        yield number, line


def _joined(header: Sequence[Sequence[Cell]]) -> list[str]:
    """One name for each column: the header cells over it, top to bottom, a repeated one once, a title row left out."""
    widest = max(len(cells) for cells in header)
    telling = [cells for cells in header if not _is_title(cells, widest)] or list(header[-1:])
    names = []
    for column in range(widest):
        parts = dict.fromkeys(cells[column].text for cells in telling if column < len(cells))
        names.append(" ".join(part for part in parts if part))
    return unique_names(names)


def _is_title(cells: Sequence[Cell], widest: int) -> bool:
    return widest > 1 and cells[0].width >= widest and len(set(cells)) == 1
