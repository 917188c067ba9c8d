"""Presentations and OpenDocument texts are read slide by slide and section by section, with their tables."""

from __future__ import annotations

import io
import zipfile

import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.util import Inches

from tenant_pipeline.intake.readers.open_document import MEDIA_TYPE, looks_like_odt, read_odt
from tenant_pipeline.intake.readers.slide_deck import looks_like_pptx, read_pptx
from tests.unit.intake.reader_outcome import holds_its_promise, mutated, records, refusal

NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
)
BODY = """<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:p>คำนำ</text:p>
<text:section><text:h text:outline-level="1">Venues</text:h><text:list><text:list-item><text:p>Hall<text:s/>A<text:note>
<text:note-citation>1</text:note-citation><text:note-body><text:p>Net of tax</text:p></text:note-body></text:note>
</text:p></text:list-item></text:list></text:section><table:table><table:table-header-rows><table:table-row>
<table:table-cell><text:p>city</text:p></table:table-cell><table:table-cell><text:p>name</text:p></table:table-cell>
<table:table-cell><text:p>seats</text:p></table:table-cell></table:table-row></table:table-header-rows>
<table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>Phuket</text:p></table:table-cell>
<table:table-cell><text:p>Hall</text:p><table:table><table:table-row><table:table-cell><text:p>room</text:p>
</table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>R1</text:p></table:table-cell>
</table:table-row></table:table></table:table-cell><table:table-cell><text:p>10</text:p></table:table-cell>
</table:table-row><table:table-row><table:covered-table-cell/><table:table-cell><text:p>Annex</text:p>
</table:table-cell><table:table-cell><text:p>20</text:p></table:table-cell></table:table-row><table:table-row>
<table:table-cell table:number-columns-spanned="2"><text:p>closed</text:p></table:table-cell>
<table:covered-table-cell/><table:table-cell><text:p>-</text:p></table:table-cell></table:table-row></table:table>"""


def odt(body: str = BODY) -> bytes:
    """An OpenDocument text with this body."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("mimetype", MEDIA_TYPE)
        content = f"<office:body><office:text>{body}</office:text></office:body>"
        archive.writestr("content.xml", f"<office:document-content {NAMESPACES}>{content}</office:document-content>")
    return written.getvalue()


def deck() -> bytes:
    """A presentation of two slides."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "ห้องประชุม"
    slide.placeholders[1].text_frame.text = "Large\vand bright"
    slide.notes_slide.notes_text_frame.text = "Mention the price"
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "In a group"
    table = slide.shapes.add_table(4, 3, 0, 0, Inches(5), Inches(2)).table
    for row, cells in enumerate(
        [["city", "name", "seats"], ["Phuket", "Hall", "10"], ["", "Annex", "20"], ["closed", "", "-"]]
    ):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 1))
    written = io.BytesIO()
    presentation.save(written)
    return written.getvalue()


def test_slides_are_segments_under_their_titles_and_their_tables_records() -> None:
    assert records(read_pptx, deck()) == [
        ("text", "slide=1", {"title": "ห้องประชุม", "section": "slide 1", "text": "ห้องประชุม\nLarge\nand bright"}),
        ("text", "slide=1&part=notes", {"title": "ห้องประชุม", "section": "slide 1", "text": "Mention the price"}),
        ("slide 2 table 1", "slide=2&table=1&row=2", {"city": "Phuket", "name": "Hall", "seats": "10"}),
        ("slide 2 table 1", "slide=2&table=1&row=3", {"city": "Phuket", "name": "Annex", "seats": "20"}),
        ("slide 2 table 1", "slide=2&table=1&row=4", {"city": "closed", "seats": "-"}),
        ("text", "slide=2", {"section": "slide 2", "text": "In a group"}),
    ]


def test_an_open_documents_sections_tables_and_notes_are_told_apart() -> None:
    assert records(read_odt, odt()) == [
        ("text", "paragraph=1", {"title": "คำนำ", "text": "คำนำ"}),
        ("table 1", "table=1&row=2", {"city": "Phuket", "name": "Hall", "seats": "10"}),
        ("table 1", "table=1&row=3", {"city": "Phuket", "name": "Annex", "seats": "20"}),
        ("table 1", "table=1&row=4", {"city": "closed", "seats": "-"}),
        ("table 2", "table=2&row=2", {"room": "R1"}),
        ("text", "paragraph=2", {"title": "คำนำ", "section": "Venues", "text": "Venues\nHall A"}),
        ("text", "footnote=1", {"title": "คำนำ", "text": "Net of tax"}),
    ]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"name,capacity"])
def test_broken_slides_and_open_documents_are_refused_by_name(content: bytes) -> None:
    assert refusal(read_pptx, content) == "broken-pptx"
    assert refusal(read_odt, content) == "broken-odt"
    assert refusal(read_odt, deck()) == "broken-odt"


def test_slides_and_open_documents_are_told_by_what_is_in_them() -> None:
    with zipfile.ZipFile(io.BytesIO(deck())) as archive:
        assert looks_like_pptx(set(archive.namelist()), "a.bin")
    assert not looks_like_pptx({"word/document.xml"}, "a.pptx")
    assert looks_like_odt(MEDIA_TYPE, "a.bin")
    assert not looks_like_odt("application/vnd.oasis.opendocument.spreadsheet", "a.odt")


@settings(max_examples=40, deadline=None)
@given(content=st.one_of(st.binary(max_size=100), mutated(deck())))
def test_no_presentation_breaks_the_reader(content: bytes) -> None:
    holds_its_promise(read_pptx, content)


@settings(max_examples=60, deadline=None)
@given(body=mutated(BODY.encode()), content=mutated(odt()))
def test_no_open_document_breaks_the_reader(body: bytes, content: bytes) -> None:
    holds_its_promise(read_odt, odt(body.decode(errors="replace")))
    holds_its_promise(read_odt, content)
