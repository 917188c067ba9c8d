"""Tables in wikitext: `{| … |}` and HTML's own, as rows of cells."""

from __future__ import annotations

from mwparserfromhell.nodes import Tag

from tenant_pipeline.intake.readers.table_grid import Cell, Row, span
from tenant_pipeline.intake.readers.wikitext_text import plain

_CELLS = ("th", "td")
_ROW_GROUPS = ("thead", "tbody", "tfoot")


def wiki_table(table: Tag) -> tuple[str | None, list[Row]]:
    """A table's caption, and its rows that have cells, numbered from 1."""
    caption: str | None = None
    rows: list[list[Cell]] = [[]]
    for part in _parts(table):
        name = _name(part)
        if name == "caption":
            caption = plain(part.contents) or None
        elif name == "td" and part.wiki_markup and str(part.contents).startswith("+"):
            caption = plain(part.contents).lstrip("+ ") or None
        elif name in _CELLS:
            rows[-1].append(_cell(part))
        elif name == "tr":
            rows.append([_cell(cell) for cell in _parts(part) if _name(cell) in _CELLS])
            rows.append([])
    return caption, list(enumerate((cells for cells in rows if cells), 1))


def _parts(tag: Tag) -> list[Tag]:
    """The tags right below one, those within groups of rows included."""
    parts: list[Tag] = []
    for node in tag.contents.nodes if tag.contents is not None else ():
        if isinstance(node, Tag):
            parts.extend(_parts(node) if _name(node) in _ROW_GROUPS else [node])
    return parts


def _cell(tag: Tag) -> Cell:
    spans = {str(each.name).strip().casefold(): each.value for each in tag.attributes}
    heads = _name(tag) == "th"
    return Cell(plain(tag.contents), heads, span(spans.get("colspan")), span(spans.get("rowspan")))


def _name(tag: Tag) -> str:
    return str(tag.tag).strip().casefold()
