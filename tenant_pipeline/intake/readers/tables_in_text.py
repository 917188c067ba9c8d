"""Tables inside prose: Markdown's pipes, as they stand in wiki pages, documents and chat messages."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark").enable("table")


def markdown_tables(text: str) -> Iterator[list[tuple[int, dict[str, str | None]]]]:
    """Each table of a Markdown text: its rows with their line numbers (from 1) and cells by the header's names."""
    header: list[str] = []
    row: list[str] = []
    rows: list[tuple[int, dict[str, str | None]]] = []
    in_head = False
    line = 0
    tokens = _MARKDOWN.parse(text)
    for position, token in enumerate(tokens):
        if token.type == "table_open":
            header, rows = [], []
        elif token.type == "thead_open":
            in_head = True
        elif token.type == "thead_close":
            in_head = False
        elif token.type == "tr_open":
            row, line = [], (token.map[0] + 1 if token.map else 0)
        elif token.type in ("th_open", "td_open"):
            row.append(tokens[position + 1].content.strip())
        elif token.type == "tr_close":
            if in_head:
                header = [name or f"column {number}" for number, name in enumerate(row, 1)]
            else:
                rows.append((line, {name: cell or None for name, cell in zip(header, row, strict=False)}))
        elif token.type == "table_close" and rows:
            yield rows
