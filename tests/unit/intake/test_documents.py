"""Documents are read with their tables, and every piece of text leads back to its page, paragraph or slide."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.readers.pdf_document import looks_like_pdf, read_pdf
from tenant_pipeline.intake.readers.word_document import looks_like_docx, read_docx
from tests.unit.intake.pdf_builder import line, pdf, table, text, thai
from tests.unit.intake.reader_outcome import holds_its_promise, mutated, problems, records, refusal

SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

HALLS = [["name", "capacity"], ["Hall", "10"], ["Pavilion", "20"]]


def test_a_pdfs_pages_are_segments_and_its_ruled_tables_records() -> None:
    page = text("Annual report", 50, 800) + "\n" + table(HALLS, 700)
    found = records(read_pdf, pdf(text("Preface", 50, 800), page, title="Report"))
    assert found[0] == ("text", "page=1", {"title": "Report", "text": "Preface", "section": "page 1"})
    assert found[1][1] == "page=2"
    assert found[1][2]["text"].startswith("Annual report\nname")
    assert found[2:] == [
        ("page 2 table 1", "page=2&table=1&row=2", {"name": "Hall", "capacity": "10"}),
        ("page 2 table 1", "page=2&table=1&row=3", {"name": "Pavilion", "capacity": "20"}),
    ]


def test_a_pdfs_table_goes_on_under_the_same_header_and_ends_at_another() -> None:
    more = table([HALLS[0], ["Annex", "30"]], 800)
    other = table([["name", "price"], ["Hall", "9000"]], 500)
    found = records(read_pdf, pdf(table(HALLS, 700), more + "\n" + other))
    assert [(name, locator) for name, locator, _ in found if name != "text"] == [
        ("page 1 table 1", "page=1&table=1&row=2"),
        ("page 1 table 1", "page=1&table=1&row=3"),
        ("page 1 table 1", "page=2&table=1&row=2"),
        ("page 2 table 2", "page=2&table=2&row=2"),
    ]


def test_a_pdfs_cell_merged_over_rows_is_repeated_and_one_over_columns_is_not() -> None:
    words = [("city", 54, 686), ("name", 174, 686), ("capacity", 294, 686), ("Phuket", 54, 666), ("Hall", 174, 666),
             ("10", 294, 666), ("Annex", 174, 646), ("30", 294, 646), ("closed for works", 54, 626)]  # fmt: skip
    across = [line(50, y, 410, y) for y in (700, 680, 660, 620, 640)]
    across[2] = line(170, 660, 410, 660)
    down = [line(50, 700, 50, 620), line(170, 700, 170, 640), line(290, 700, 290, 640), line(410, 700, 410, 620)]
    page = "\n".join([*across, *down, *(text(*word) for word in words)])
    assert [values for name, _, values in records(read_pdf, pdf(page)) if name != "text"] == [
        {"city": "Phuket", "name": "Hall", "capacity": "10"},
        {"city": "Phuket", "name": "Annex", "capacity": "30"},
        {"city": "closed for works"},
    ]


@pytest.mark.parametrize("back", [0, 350, 620])
def test_thai_in_a_pdf_comes_out_in_the_order_it_is_written(back: float) -> None:
    words = "พระราชบัญญัติว่าด้วยที่ดินทั้งนี้ให้ใช้บังคับ พื้นที่กู้ภัย"
    ((_, _, values),) = records(read_pdf, pdf(thai(words, 50, 800, back=back)))
    assert values["text"] == words


def test_thai_glyphs_of_old_fonts_become_letters_again() -> None:
    drawn = "ป\uf710\uf70aน น\u0e4d้า ที\uf70a"
    ((_, _, values),) = records(read_pdf, pdf(thai(drawn, 50, 800)))
    assert values["text"] == "ปั่น น้ำ ที่"


def test_a_wrapped_thai_cell_of_a_pdf_is_one_word_again() -> None:
    page = table([["name", "note"], ["", ""]], 700, height=30)
    page += "\n" + thai("ศูนย์", 54, 658) + "\n" + thai("ประชุม", 54, 645)
    page += "\n" + text("big", 174, 658) + "\n" + text("hall", 174, 645)
    (_, (_, _, values)) = records(read_pdf, pdf(page))
    assert values == {"name": "ศูนย์ประชุม", "note": "big hall"}


def test_a_pdfs_page_without_text_is_a_problem_and_the_rest_goes_on() -> None:
    content = pdf(text("One", 50, 800), line(10, 10, 90, 90), text("Three", 50, 800))
    assert problems(read_pdf, content) == [("page=2", "no-text-layer")]
    assert [locator for _, locator, _ in records(read_pdf, content)] == ["page=1", "page=3"]


def test_a_pdf_without_any_text_is_refused_as_a_scan() -> None:
    assert refusal(read_pdf, pdf(line(10, 10, 90, 90))) == "no-text-layer"


def test_a_map_in_a_pdf_is_not_searched_for_tables() -> None:
    plan = "\n".join(line(x, 10, x, 700) for x in range(10, 5600))
    assert problems(read_pdf, pdf(text("Plan", 50, 800) + "\n" + plan)) == [("page=1", "too-many-lines")]


@pytest.mark.parametrize("content", [b"%PDF-1.7 nothing of the kind", b"%PDF-1.7", pdf(), pdf(text("a", 1, 1))[:300]])
def test_a_broken_pdf_is_refused_by_name(content: bytes) -> None:
    assert refusal(read_pdf, content) == "broken-pdf"


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared data folder is not beside this checkout")
@pytest.mark.parametrize(
    ("name", "code"), [("corrupted", "broken-pdf"), ("encrypted", "encrypted-pdf"), ("not_encrypted", "")]
)
def test_real_pdfs_are_read_or_refused_by_name(name: str, code: str) -> None:
    assert refusal(read_pdf, (SHARED_DATA / "pdf_bad" / f"{name}.pdf").read_bytes()) == code


def test_a_pdf_is_told_by_its_mark() -> None:
    assert looks_like_pdf("%PDF-1.4\n", "a.txt")
    assert not looks_like_pdf("a treatise on %PDF", "a.pdf")


@settings(max_examples=40, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), mutated(pdf(thai("ที่", 50, 800) + "\n" + table(HALLS, 700)))))
def test_no_pdf_breaks_the_reader(content: bytes) -> None:
    holds_its_promise(read_pdf, content)


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _saved(document: Document) -> bytes:
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _with_part(content: bytes, name: str, kind: str, markup: str) -> bytes:
    """A Word document with one more part, such as its footnotes."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(written, "w") as target:
        for member in source.namelist():
            data = source.read(member)
            if member == "[Content_Types].xml":
                typed = f'<Override PartName="/word/{name}" ContentType="application/xml"/></Types>'
                data = data.replace(b"</Types>", typed.encode())
            if member == "word/_rels/document.xml.rels":
                relation = f'<Relationship Id="rId99" Type="{kind}" Target="{name}"/></Relationships>'
                data = data.replace(b"</Relationships>", relation.encode())
            target.writestr(member, data)
        target.writestr(f"word/{name}", markup)
    return written.getvalue()


def _word() -> Document:
    document = docx.Document()
    document.core_properties.title = ""
    document.core_properties.author = ""
    return document


def test_a_word_documents_sections_are_segments_under_their_headings() -> None:
    document = _word()
    document.add_paragraph("คำนำ")
    document.add_paragraph("")
    document.add_heading("Venues", 1)
    document.add_paragraph("Hall A is large.")
    document.add_heading("Contact", 2)
    document.core_properties.title = "Brochure"
    assert records(read_docx, _saved(document)) == [
        ("text", "paragraph=1", {"title": "Brochure", "text": "คำนำ"}),
        ("text", "paragraph=3", {"title": "Brochure", "section": "Venues", "text": "Venues\nHall A is large."}),
        ("text", "paragraph=5", {"title": "Brochure", "section": "Contact", "text": "Contact"}),
    ]


def test_a_word_cell_merged_over_columns_is_read_once_and_one_over_rows_in_each() -> None:
    document = _word()
    table = document.add_table(5, 3)
    for row, cells in enumerate(
        [["Halls of 2024", "", ""], ["city", "name", "seats"], ["Phuket", "Hall", "10"], ["", "Annex", "20"],
         ["closed", "", "-"]]
    ):  # fmt: skip
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    table.cell(0, 0).merge(table.cell(0, 2))
    table.cell(2, 0).merge(table.cell(3, 0))
    table.cell(4, 0).merge(table.cell(4, 1))
    found = records(read_docx, _saved(document))
    assert found == [
        ("table 1", "table=1&row=3", {"city": "Phuket", "name": "Hall", "seats": "10"}),
        ("table 1", "table=1&row=4", {"city": "Phuket", "name": "Annex", "seats": "20"}),
        ("table 1", "table=1&row=5", {"city": "closed", "seats": "-"}),
        ("text", "paragraph=1", {"text": "Halls of 2024"}),
    ]


def test_a_word_table_without_rows_below_its_first_is_text() -> None:
    document = _word()
    document.add_paragraph("Address:")
    document.add_table(1, 2).cell(0, 1).text = "1 Harbour Road"
    ((_, locator, values),) = records(read_docx, _saved(document))
    assert (locator, values["text"]) == ("paragraph=1", "Address:\n1 Harbour Road")


def test_a_word_header_of_two_rows_names_each_column_in_full() -> None:
    document = _word()
    table = document.add_table(3, 3)
    for row, cells in enumerate([["name", "capacity", ""], ["", "theatre", "banquet"], ["Hall", "300", "180"]]):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(0, 1).merge(table.cell(0, 2))
    ((_, locator, values),) = records(read_docx, _saved(document))
    assert locator == "table=1&row=3"
    assert values == {"name": "Hall", "capacity theatre": "300", "capacity banquet": "180"}


def test_a_table_in_a_word_cell_is_a_table_of_its_own() -> None:
    document = _word()
    table = document.add_table(2, 2)
    for cell, said in zip(table._cells, ["name", "rooms", "Hall", "see:"], strict=True):
        cell.text = said
    inner = table.cell(1, 1).add_table(2, 2)
    for cell, said in zip(inner._cells, ["room", "seats", "R1", "12"], strict=True):
        cell.text = said
    assert records(read_docx, _saved(document)) == [
        ("table 1", "table=1&row=2", {"name": "Hall", "rooms": "see:"}),
        ("table 2", "table=2&row=2", {"room": "R1", "seats": "12"}),
    ]


def test_a_word_documents_headers_notes_and_comments_are_segments_and_a_comments_author_is_left_out() -> None:
    document = _word()
    paragraph = document.add_paragraph("Body")
    document.sections[0].header.paragraphs[0].text = "Partner Ltd"
    document.sections[0].footer.add_table(1, 1, 10).cell(0, 0).text = "Page foot"
    document.add_comment(paragraph.runs, text="Check the price", author="Invented Person", initials="IP")
    notes = f'<w:footnotes {W}><w:footnote w:type="separator" w:id="-1"><w:p/></w:footnote><w:footnote w:id="2">'
    notes += "<w:p><w:r><w:t>Net of tax</w:t></w:r></w:p></w:footnote></w:footnotes>"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    found = records(read_docx, _with_part(_saved(document), "footnotes.xml", kind, notes))
    assert [(locator, values["text"]) for _, locator, values in found] == [
        ("paragraph=1", "Body"),
        ("section=1&part=header", "Partner Ltd"),
        ("section=1&part=footer", "Page foot"),
        ("footnote=2", "Net of tax"),
        ("comment=0", "Check the price"),
    ]
    assert "Invented" not in str(found)


def test_word_text_is_read_as_it_stands_after_its_revisions() -> None:
    document = _word()
    revised = f"<w:p {W}><w:r><w:t>Hall </w:t></w:r><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
    revised += "<w:ins><w:r><w:t>new</w:t></w:r></w:ins></w:p>"
    control = f"<w:sdt {W}><w:sdtContent><w:p><w:r><w:t>chosen</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    document.element.body.insert(0, parse_xml(control))
    document.element.body.insert(0, parse_xml(revised))
    ((_, _, values),) = records(read_docx, _saved(document))
    assert values["text"] == "Hall new\nchosen"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"name,capacity"])
def test_a_broken_word_document_is_refused_by_name(content: bytes) -> None:
    assert refusal(read_docx, content) == "broken-docx"


def test_a_word_document_is_told_by_its_members() -> None:
    assert looks_like_docx({"word/document.xml", "[Content_Types].xml"}, "a.zip")
    assert not looks_like_docx({"xl/workbook.xml"}, "a.docx")


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared data folder is not beside this checkout")
def test_real_word_documents_are_read_with_their_tables_headers_and_comments() -> None:
    folder = SHARED_DATA / "partner_docs_docx" / "features" / "steps" / "test_files"
    places = {path.stem: [place for _, place, _ in records(read_docx, path.read_bytes())] for path in folder.iterdir()}
    assert places == {
        "blk-containing-table": [],
        "doc-coreprops": [],
        "blk-paras-and-tables": ["table=3&row=2", "paragraph=1", "section=1&part=header", "section=1&part=footer"],
        "hdr-header-footer": ["paragraph=1", "section=1&part=header", "section=1&part=footer"],
        "comments-rich-para": ["paragraph=1", "comment=0", "comment=1", "comment=2", "comment=4"],
    }


def _any_word_document() -> bytes:
    document = _word()
    document.add_heading("Venues", 1)
    document.add_table(2, 2).cell(0, 0).text = "name"
    return _saved(document)


@settings(max_examples=40, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), mutated(_any_word_document())))
def test_no_word_document_breaks_the_reader(content: bytes) -> None:
    holds_its_promise(read_docx, content)


@settings(max_examples=40, deadline=None)
@given(markup=mutated(f"<w:p {W}><w:r><w:t>Hall</w:t></w:r></w:p>".encode()))
def test_no_word_markup_breaks_the_reader(markup: bytes) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_any_word_document())) as source, zipfile.ZipFile(written, "w") as target:
        for member in source.namelist():
            data = source.read(member)
            if member == "word/document.xml":
                data = data.replace(b"<w:body>", b"<w:body>" + markup)
            target.writestr(member, data)
    holds_its_promise(read_docx, written.getvalue())
