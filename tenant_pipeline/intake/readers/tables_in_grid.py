"""Tables in a grid of cells: a sheet or a delimited text, which may hold titles, notes and several tables.

A blank row ends a block. A block begins a table where its first full row names columns, and goes on with the table
above where it does not. Rows above a header and notes below a table are kept as segments of text; a row of totals
describes no thing and is told as a problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice

from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem
from tenant_pipeline.intake.readers.years_as_columns import YearColumns, year_columns

Row = Sequence[str | None]


class SpannedRow(list[str | None]):
    """A row with merged cells: `covered` are the columns that show what the cell to the left of them holds."""

    def __init__(self, cells: Iterable[str | None], covered: Set[int]) -> None:
        super().__init__(cells)
        self.covered = covered


AHEAD = 40
"""So many rows of a block are looked at before its table is judged."""
DEEPEST_HEADER = 3

_DATA_LIKE = re.compile(r"[\d.,:/+\-\s%()]*\d[\d.,:/+\-\s%()]*|\S+@\S+|https?://\S+")
_TOTAL = re.compile(r"(?:รวม(?:ทั้งหมด|ทั้งสิ้น)?|ยอดรวม|grand total|total|sub-?total|合计|总计)\s*:?", re.IGNORECASE)
_TOTAL_BEGINS = "รยgGtTsS合总 "
_NOTE = re.compile(
    r"(?:หมายเหตุ|ที่มา|แหล่งที่มา|source|notes?|remarks?|资料来源|来源|备注|注)\s*[:.：]|\*|\(\*\)", re.IGNORECASE
)


def grid_items(
    rows: Iterable[tuple[int, Row]], name: str, place: Callable[[int], str], *, cells_may_shift: bool
) -> Items:
    """The tables of a grid as records, its titles and notes as segments.

    `rows` are numbered; `place` makes a row's number its locator. The first table has the grid's own name, each
    further one its number behind it. `cells_may_shift` says that a row with too many cells may have them in the wrong
    columns, as in a delimited text: such a row is a problem, elsewhere its further cells have a column of their own.
    """
    walk = _Walk(name, place, cells_may_shift)
    for block in _blocks(iter(rows)):
        yield from walk.block(block)
    yield from walk.end()


@dataclass
class _Block:
    """Rows up to the next blank one: the first AHEAD of them, and an iterator over the rest."""

    head: list[tuple[int, Row]]
    rest: Iterator[tuple[int, Row]]


def _blocks(rows: Iterator[tuple[int, Row]]) -> Iterator[_Block]:
    for number, row in rows:
        if _is_blank(row):
            continue
        block = _until_blank(number, row, rows)
        head = list(islice(block, AHEAD))
        yield _Block(head, block)
        for _ in block:  # whoever took the head only has left the rest
            pass


def _until_blank(number: int, row: Row, rows: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    yield number, row
    for following, cells in rows:
        if _is_blank(cells):
            return
        yield following, cells


@dataclass
class _Table:
    """A table that rows are read into: its columns of the grid, from `left` on and up to `right`."""

    name: str
    header: list[str]
    years: YearColumns | None
    place: str
    left: int = 0
    right: int | None = None
    rows: int = 0


class _Walk:
    """The state from one block to the next: the tables that are open, side by side, and how many there were."""

    def __init__(self, name: str, place: Callable[[int], str], cells_may_shift: bool) -> None:
        self._name = name
        self._place = place
        self._cells_may_shift = cells_may_shift
        self._open: list[_Table] = []
        self._header: list[tuple[int, Row]] = []
        self._tables = 0

    def block(self, block: _Block) -> Items:
        """What a block holds."""
        head = block.head
        if _is_prose(head) and (not self._open or len(self._open[0].header) > 2):
            yield from (self._note(number, row) for number, row in head)
            return
        start, depth = _header_at(head)
        if not self._open or self._begins_table(head, start, depth):
            if not any(table.rows for table in self._open):  # what looked like a header was a title
                yield from (self._note(number, row) for number, row in self._header)
            yield from (self._note(number, row) for number, row in head[:start])
            self._header = head[start : start + depth]
            self._open = self._opened(head, start, depth)
            head = head[start + depth :]
        yield from self._records(head)
        yield from self._records(block.rest)

    def end(self) -> Items:
        """Whether the last tables had any row."""
        if self._open and not any(table.rows for table in self._open):
            yield Problem(self._open[0].place, "table-without-rows", "A header stands there and no row below it.")

    def _opened(self, head: list[tuple[int, Row]], start: int, depth: int) -> list[_Table]:
        header, body = [row for _, row in head[start : start + depth]], [row for _, row in head[start + depth :]]
        opened = []
        for left, right in _side_by_side(header, body):
            self._tables += 1
            name = self._name if self._tables == 1 else f"{self._name} table {self._tables}".strip()
            rows = [row[left:right] for row in body]
            widths = [width for width in map(_width, rows) if width]
            usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
            width = max(usual, max((_width(row[left:right]) for row in header), default=0))
            names = unique_names(_joined([row[left:right] for row in header], width))
            opened.append(_Table(name, names, year_columns(names), self._place(head[start][0]), left, right))
        opened[-1].right = None
        return opened

    def _begins_table(self, head: list[tuple[int, Row]], start: int, depth: int) -> bool:
        """Whether a block under an open table has a header of its own rather than more of its rows."""
        if depth == 0 or len(head) - start < 2 or any(map(_is_data, head[start][1])):
            return False
        names = {text.strip().casefold() for text in head[start][1] if text and text.strip()}
        if names <= {name.casefold() for table in self._open for name in table.header}:
            return False
        last = self._open[-1]
        if _width(head[start][1][last.left :]) > len(last.header):
            return True
        return _differs_in_kind(head[start][1], [row for _, row in head[start + depth :]])

    def _records(self, rows: Iterable[tuple[int, Row]]) -> Items:
        table = self._open[0]
        if len(self._open) == 1 and table.left == 0 and table.years is None:
            header, name, place = table.header, table.name, self._place
            for number, row in rows:
                if len(row) <= len(header) and _is_plain(row, header):
                    table.rows += 1
                    yield Item(name, place(number), dict(zip(header, [cell or None for cell in row], strict=False)))
                else:
                    yield from self._record(table, number, row)
            return
        for number, row in rows:
            for table in self._open:
                cells = row[table.left : table.right]
                if not _is_blank(cells):
                    yield from self._record(table, number, cells)

    def _record(self, table: _Table, number: int, row: Row) -> Items:
        header, width = table.header, len(table.header)
        place = self._place(number)
        if len(row) > width and _width(row) > width:
            if not self._cells_may_shift:
                table.header += [f"column {position}" for position in range(width + 1, _width(row) + 1)]
                yield from self._record(table, number, row)
                return
            yield Problem(place, "ragged-row", "The row has more cells than the header.")
            return
        if not _is_plain(row, header):
            filled = [cell.strip() for cell in row if cell and cell.strip()]
            if len(filled) == 1 and width > 2 and _NOTE.match(filled[0]):
                yield self._note(number, row)
                return
            if width > 1 and filled == [name for name in header if not name.startswith("column ")]:
                yield Problem(place, "repeated-header", "The row repeats the header.")
                return
            if width > 1 and _TOTAL.fullmatch(filled[0]):
                table.rows += 1
                yield Problem(place, "total-row", "The row holds totals and describes no thing.")
                return
        table.rows += 1
        values = {name: cell or None for name, cell in zip(header, row, strict=False)}
        if len(self._open) > 1:
            place = f"{place}&table={table.name}"
        if table.years is not None:
            yield from table.years.items(table.name, place, values)
        else:
            yield Item(table.name, place, values)

    def _note(self, number: int, row: Row) -> Item:
        text = " ".join(dict.fromkeys(cell.strip() for cell in row if cell and cell.strip()))
        values = {"title": self._name or None, "text": text}
        return Item(f"{self._name} notes".strip(), self._place(number), values, SEGMENTS)


def _side_by_side(header: Sequence[Row], body: Sequence[Row]) -> list[tuple[int, int | None]]:
    """The spans of columns that empty columns part, where each has names above and two columns at least."""
    rows = [*header, *body]
    width = max((_width(row) for row in rows), default=0)
    used = [any(position < len(row) and (row[position] or "").strip() for row in rows) for position in range(width)]
    spans: list[tuple[int, int]] = []
    for position in range(width):
        if not used[position]:
            continue
        if spans and spans[-1][1] == position:
            spans[-1] = (spans[-1][0], position + 1)
        else:
            spans.append((position, position + 1))
    named = all(any((cell or "").strip() for row in header for cell in row[left:right]) for left, right in spans)
    if len(spans) < 2 or not header or not named or any(right - left < 2 for left, right in spans):
        return [(0, None)]
    return list(spans)


def _header_at(head: list[tuple[int, Row]]) -> tuple[int, int]:
    """Where a block's header begins, and how many rows it has: none where its first full row is data already."""
    counts = [_distinct(row) for _, row in head]
    widest = max(counts)
    start = next(position for position, count in enumerate(counts) if count * 2 > widest)
    row = head[start][1]
    filled = [cell.strip() for cell in row if cell and _says_something(cell)]
    data = sum(map(_is_data, filled))
    if data * 2 >= len(filled):
        return start, 0
    depth = 1
    rows = [row for _, row in head[start : start + DEEPEST_HEADER + 1]]
    while depth + 1 < len(rows) and _is_continued(rows[depth - 1], rows[depth]):
        depth += 1
    if depth == 1 and len(filled) > 1 and len(set(filled)) * 2 <= len(filled):
        return start, 0
    return start, depth


def _is_continued(above: Row, below: Row) -> bool:
    """Whether a header goes on in the row below: where a name spans several columns, each has its own name there.

    Two columns of one name are none that spans them: the row below is a record.
    """
    spanned = above.covered if isinstance(above, SpannedRow) else ()
    return bool(spanned) and all(position < len(below) and _names(below[position]) for position in spanned)


def _names(cell: str | None) -> bool:
    """Whether a cell can be a column's name: words, or a year."""
    return bool(cell and _says_something(cell)) and not _is_data(cell)


def _is_data(cell: str | None) -> bool:
    """Whether a cell holds a number, a date, a telephone or an address, and no year, which can name a column."""
    text = (cell or "").strip()
    return bool(_DATA_LIKE.fullmatch(text)) and not _is_year(text)


def _says_something(cell: str) -> bool:
    """Whether a cell has a letter or a digit: a dash stands for a value that there is not, and is no name."""
    return any(map(str.isalnum, cell))


def _joined(header: Sequence[Row], width: int) -> list[str]:
    """The columns' names: of several rows, each different part once, from the top."""
    names = []
    for position in range(width):
        parts = [row[position].strip() for row in header if position < len(row) and row[position]]  # type: ignore[union-attr]
        names.append(" ".join(dict.fromkeys(part for part in parts if part)))
    return names


def _differs_in_kind(row: Row, below: Sequence[Row]) -> bool:
    """Whether a row of words stands above columns of data."""
    for position, cell in enumerate(row):
        if not cell or not _says_something(cell) or _DATA_LIKE.fullmatch(cell.strip()):
            continue
        cells = [other[position] for other in below if position < len(other) and other[position]]
        data = sum(bool(_DATA_LIKE.fullmatch((cell or "").strip())) for cell in cells)
        if cells and data * 2 > len(cells):
            return True
    return False


def _is_prose(head: list[tuple[int, Row]]) -> bool:
    """Whether a block is a title or a remark: no row of it has a second cell, and it is short."""
    if len(head) > 3 or any(_distinct(row) > 1 for _, row in head):
        return False
    return len(head) == 1 or any(len(row) > 1 for _, row in head)


def _is_year(cell: str) -> bool:
    text = cell.strip()
    return len(text) == 4 and text.isdigit() and (1900 <= int(text) <= 2100 or 2443 <= int(text) <= 2643)


def _distinct(row: Row) -> int:
    return len({cell.strip() for cell in row if cell and cell.strip()})


def _is_plain(row: Row, header: Sequence[str]) -> bool:
    """Whether a row is one like nearly all are, which a look at its first two cells shows."""
    return (
        len(row) > 1
        and bool(row[0])
        and bool(row[1])
        and row[0][:1] not in _TOTAL_BEGINS  # type: ignore[index]
        and row[0] != header[0]
        and not row[0].isspace()  # type: ignore[union-attr]
        and not row[1].isspace()  # type: ignore[union-attr]
    )


def _width(row: Row) -> int:
    """The number of the last filled cell."""
    return next((position for position in range(len(row), 0, -1) if (cell := row[position - 1]) and cell.strip()), 0)


def _is_blank(row: Row) -> bool:
    if row and row[0] and not row[0].isspace():
        return False
    return not any(cell and cell.strip() for cell in row)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names of columns, each once: an empty one by its position, a repeated one with its number."""
    seen: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names, 1):
        base = name or f"column {position}"
        seen[base] = seen.get(base, 0) + 1
        unique.append(base if seen[base] == 1 else f"{base} ({seen[base]})")
    return unique
