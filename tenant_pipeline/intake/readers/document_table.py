"""Tables of documents: cells that are merged over columns and rows, header rows that say a name in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenant_pipeline.intake.readers.tables_in_grid import unique_names

MOST_COLUMNS = 1_000


@dataclass(frozen=True)
class Cell:
    """A cell: its text, the columns it is merged over, and whether it goes on from the row above."""

    text: str
    columns: int = 1
    goes_on: bool = False


class DocumentTable:
    """The rows of a table as records: a cell merged over rows stands in each, one over columns in its first."""

    def __init__(self, rows: Sequence[Sequence[Cell]], header_rows: int = 1) -> None:
        """Rows that are one cell over the whole width, above the header, are the table's title. It is the `text`
        beside the records, as are the cells of a table that has nothing below its header."""
        widths = [sum(cell.columns for cell in row) for row in rows]
        width = max(widths, default=0)
        first = 0
        while first < len(rows) - 1 and width > 1 and len(rows[first]) == 1 and widths[first] == width:
            first += 1
        end = max(first + 1, header_rows)
        while end < len(rows) - 1 and any(cell.goes_on for cell in rows[end]):
            end += 1
        self._rows = rows
        self._first = min(end, len(rows))
        beside = rows[:first] if self._first < len(rows) else rows
        self.text = "\n".join(cell.text for row in beside for cell in row if cell.text)
        self._header = _names(rows[first : self._first])

    def records(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """Each row below the header that says something, with its number from 1 and its cells."""
        above: list[str] = []
        for number, row in enumerate(self._rows[self._first :], self._first + 1):
            cells: list[str] = []
            for cell in row:
                said = above[len(cells)] if cell.goes_on and len(cells) < len(above) else cell.text
                cells += [said, *[""] * (cell.columns - 1)]
            above = cells
            cells = cells[: len(self._header)]
            if any(cells):
                yield number, {name: cell or None for name, cell in zip(self._header, cells, strict=False)}


def _names(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """The columns' names: a merged cell names each of its columns, further rows add to the name."""
    parts: list[list[str]] = []
    for row in rows:
        spread = [cell for cell in row for _ in range(cell.columns)][:MOST_COLUMNS]
        parts += [[] for _ in range(len(spread) - len(parts))]
        for names, cell in zip(parts, spread, strict=False):
            said = " ".join(cell.text.split())
            if said and said not in names and not cell.goes_on:
                names.append(said)
    return unique_names([" ".join(names) for names in parts])
