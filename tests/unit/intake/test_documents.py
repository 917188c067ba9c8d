"""Documents are read with their tables, and every piece of text leads back to its page, paragraph or slide."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.readers.pdf_document import looks_like_pdf, read_pdf
from tests.unit.intake.pdf_builder import line, pdf, table, text, thai
from tests.unit.intake.reader_outcome import holds_its_promise, problems, records, refusal

SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

HALLS = [["name", "capacity"], ["Hall", "10"], ["Pavilion", "20"]]


def mutated(valid: bytes) -> st.SearchStrategy[bytes]:
    """A valid file with a stretch of it cut out, overwritten or doubled."""

    def change(place: int, length: int, instead: bytes) -> bytes:
        begin = place % max(1, len(valid))
        return valid[:begin] + instead + valid[begin + length :]

    return st.builds(change, st.integers(0, 10**6), st.integers(0, 64), st.binary(max_size=16))


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


@settings(max_examples=60, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), mutated(pdf(thai("ที่", 50, 800) + "\n" + table(HALLS, 700)))))
def test_no_pdf_breaks_the_reader(content: bytes) -> None:
    holds_its_promise(read_pdf, content)
