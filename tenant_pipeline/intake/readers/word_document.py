"""DOCX: the text section by section under its headings, tables as records, notes and comments as segments."""

from __future__ import annotations

import io
from collections.abc import Set
from typing import Any, BinaryIO

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from lxml import etree

from tenant_pipeline.intake.readers.document_table import DocumentTable
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items
from tenant_pipeline.intake.readers.parser_guard import refused_as
from tenant_pipeline.intake.readers.word_markup import (
    PARAGRAPH,
    TABLE,
    W,
    is_heading,
    parts_of,
    rows_of,
    tables_inside,
    text_of_paragraph,
    text_of_story,
)

_NOTES = (("footnote", RELATIONSHIP_TYPE.FOOTNOTES), ("endnote", RELATIONSHIP_TYPE.ENDNOTES),
          ("comment", RELATIONSHIP_TYPE.COMMENTS))  # fmt: skip
_REASON = "The document is damaged or not a Word document; open it in a word processor and save it again as DOCX."


def looks_like_docx(members: Set[str], path: str) -> bool:
    """Whether a package with these members is a Word document."""
    return "word/document.xml" in members


def read_docx(stream: BinaryIO, encoding: str) -> Items:
    """Each section under its heading, then the tables, headers and footers, notes and comments (not who wrote them).

    Raises UnreadableError for a package that is none or that is damaged.
    """
    with refused_as("broken-docx", _REASON):
        document = docx.Document(io.BytesIO(stream.read()))
        body = document.element.body
        names = {style.style_id: style.name or "" for style in document.styles}
        properties = document.core_properties
        about = {"title": _clean(properties.title), "author": _clean(properties.author)}
        around = [
            (f"section={number}&part={name}", text_of_story(part._element))
            for number, section in enumerate(document.sections, 1)
            for name, part in (("header", section.header), ("footer", section.footer))
            if not part.is_linked_to_previous
        ]
        notes = [note for name, kind in _NOTES for note in _notes(document.part, name, kind)]
    if about["title"] is None:
        texts = map(text_of_paragraph, parts_of(body, PARAGRAPH))
        about["title"] = next(filter(None, texts), None)
    yield from _body(body, names, about)
    for locator, text in (*around, *notes):
        if text:
            yield Item("text", locator, {**about, "section": None, "text": text}, SEGMENTS)


def _body(body: Any, style_names: dict[str, str], about: dict[str, str | None]) -> Items:
    section: str | None = None
    lines: list[str] = []
    begin, number, tables = 1, 0, 0

    def segment() -> Items:
        if lines:
            values = {**about, "section": section, "text": "\n".join(lines)}
            yield Item("text", f"paragraph={begin}", values, SEGMENTS)

    for block in parts_of(body, PARAGRAPH, TABLE):
        if block.tag == TABLE:
            pending = [block]
            while pending:
                table = pending.pop(0)
                tables += 1
                read = DocumentTable(*rows_of(table))
                if read.text:
                    lines.append(read.text)
                for row, values in read.records():
                    yield Item(f"table {tables}", f"table={tables}&row={row}", values)
                pending = [*tables_inside(table), *pending]
            continue
        number += 1
        text = text_of_paragraph(block)
        if not text:
            continue
        if is_heading(block, style_names):
            yield from segment()
            section, lines = text, []
        if not lines:
            begin = number
        lines.append(text)
    yield from segment()


def _notes(part: Any, name: str, kind: str) -> list[tuple[str, str]]:
    """The notes of a kind with their places; separators, which Word keeps among them, are not notes."""
    found = []
    for relation in part.rels.values():
        if relation.reltype == kind and not relation.is_external:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
            for note in etree.fromstring(relation.target_part.blob, parser).iterchildren(f"{W}{name}"):
                if note.get(f"{W}type", "normal") == "normal":
                    found.append((f"{name}={note.get(f'{W}id', '')}", text_of_story(note)))
    return found


def _clean(value: str | None) -> str | None:
    return (value or "").strip() or None
