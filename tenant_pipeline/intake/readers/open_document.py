"""ODT: the text section by section under its headings, tables as records, notes and comments as segments."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from tenant_pipeline.intake.readers.document_table import MOST_COLUMNS, Cell, DocumentTable
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, UnreadableError
from tenant_pipeline.intake.readers.parser_guard import refused_as

MEDIA_TYPE = "application/vnd.oasis.opendocument.text"
MOST_BYTES = 256 * 1024 * 1024
_REASON = "The document is damaged, encrypted or not an OpenDocument text; open it and save it again."
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_PARAGRAPHS = (f"{_TEXT}h", f"{_TEXT}p")
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_BESIDE = {f"{_OFFICE}annotation": "comment", f"{_TEXT}note": "footnote"}
_NOT_SAID = {f"{_TEXT}tracked-changes", f"{_TEXT}note-citation", f"{_TABLE}table"}
_SPACES = {f"{_TEXT}s": " ", f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}


def looks_like_odt(kind: str, path: str) -> bool:
    """Whether a package of this kind, as its member `mimetype` says, is an OpenDocument text or its template."""
    return kind.startswith(MEDIA_TYPE)


def read_odt(stream: BinaryIO, encoding: str) -> Items:
    """Each section under its heading, then notes and comments (not who wrote them).

    Raises UnreadableError for a package that is none or that is damaged.
    """
    with refused_as("broken-odt", _REASON), zipfile.ZipFile(stream) as archive:
        content = _member(archive, "content.xml")
        text = content.find(f"{_OFFICE}body/{_OFFICE}text")
        named = _member(archive, "meta.xml").find(f".//{_TITLE}") if "meta.xml" in archive.namelist() else None
    if text is None:
        raise UnreadableError("broken-odt", _REASON)
    first = (said for each in _blocks(text) if each.tag in _PARAGRAPHS and (said := _said(each)))
    title = (named.text or "").strip() if named is not None else ""
    title = title or next(first, "")
    yield from _body(text, title or None)
    for tag, name in _BESIDE.items():
        for number, note in enumerate(text.iter(tag), 1):
            said = "\n".join(filter(None, map(_said, note.iter(*_PARAGRAPHS))))
            if said:
                values = {"title": title or None, "section": None, "text": said}
                yield Item("text", f"{name}={number}", values, SEGMENTS)


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > MOST_BYTES:
        raise UnreadableError("too-large", "The document is too large when unpacked.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(archive.read(name), parser)


def _body(text: Any, title: str | None) -> Items:
    section: str | None = None
    lines: list[str] = []
    begin, number, tables = 1, 0, 0

    def segment() -> Items:
        if lines:
            values = {"title": title, "section": section, "text": "\n".join(lines)}
            yield Item("text", f"paragraph={begin}", values, SEGMENTS)

    for block in _blocks(text):
        if block.tag == f"{_TABLE}table":
            tables += 1
            table = DocumentTable(*_rows(block))
            if table.text:
                lines.append(table.text)
            for row, cells in table.records():
                yield Item(f"table {tables}", f"table={tables}&row={row}", cells)
            continue
        number += 1
        said = _said(block)
        if not said:
            continue
        if block.tag == f"{_TEXT}h":
            yield from segment()
            section, lines = said, []
        if not lines:
            begin = number
        lines.append(said)
    yield from segment()


def _blocks(element: Any) -> Iterator[Any]:
    """Paragraphs, headings and tables in their order, also those in lists and sections; tables in cells come after."""
    for child in element:
        if child.tag in _PARAGRAPHS:
            yield child
        elif child.tag == f"{_TABLE}table":
            yield child
            for cell in _parts(child, _CELLS):
                yield from (inner for inner in _blocks(cell) if inner.tag == f"{_TABLE}table")
        elif child.tag not in _NOT_SAID and child.tag not in _BESIDE and isinstance(child.tag, str):
            yield from _blocks(child)


def _parts(table: Any, tags: tuple[str, ...]) -> Iterator[Any]:
    """The rows, or the cells, of a table itself."""
    for child in table:
        if child.tag in tags:
            yield child
        elif isinstance(child.tag, str) and child.tag not in (*_CELLS, f"{_TABLE}table"):
            yield from _parts(child, tags)


def _rows(table: Any) -> tuple[list[list[Cell]], int]:
    """The rows with their cells, and how many of them the document marks as header."""
    rows: list[list[Cell]] = []
    covered: dict[int, tuple[int, int]] = {}
    header_rows = 0
    for row in _parts(table, (f"{_TABLE}table-row",)):
        cells: list[Cell] = []
        column = 0
        for cell in _parts(row, _CELLS):
            columns, repeated = _number(cell, "columns-spanned"), _number(cell, "columns-repeated")
            if cell.tag == _CELLS[0]:
                covered[column] = (_number(cell, "rows-spanned") - 1, columns)
                said = "\n".join(filter(None, map(_said, (part for part in _blocks(cell) if part.tag in _PARAGRAPHS))))
                cells += [Cell(said, columns)] * repeated
            elif covered.get(column, (0, 0))[0] > 0:
                left, width = covered[column]
                covered[column] = (left - 1, width)
                cells.append(Cell("", width, goes_on=True))
            column = min(column + repeated, MOST_COLUMNS)
        if row.getparent().tag == f"{_TABLE}table-header-rows" and header_rows == len(rows):
            header_rows += 1
        rows.append(cells)
    return rows, header_rows


def _number(cell: Any, what: str) -> int:
    value = cell.get(f"{_TABLE}number-{what}", "1")
    return max(1, min(int(value), MOST_COLUMNS)) if re.fullmatch(r"[0-9]{1,6}", value) else 1


def _said(paragraph: Any) -> str:
    return "".join(_pieces(paragraph)).strip()


def _pieces(element: Any) -> Iterator[str]:
    """The text of a paragraph: that of its frames too, that of its notes and comments not."""
    yield element.text or ""
    for child in element:
        if child.tag in _SPACES:
            yield _SPACES[child.tag]
        elif isinstance(child.tag, str) and child.tag not in _NOT_SAID and child.tag not in _BESIDE:
            yield from _pieces(child)
            if child.tag in _PARAGRAPHS:
                yield "\n"
        yield child.tail or ""
