"""Delimited texts and workbooks as people make them: every row is a record, a note, or a problem at its place."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from tenant_pipeline.intake.formats import identify_format
from tenant_pipeline.intake.readers.csv_table import read_csv
from tenant_pipeline.intake.readers.item import Item, Problem, UnreadableError
from tenant_pipeline.intake.readers.registry import READERS
from tenant_pipeline.intake.readers.tables_in_grid import grid_items
from tenant_pipeline.intake.readers.workbook import read_workbook
from tenant_pipeline.intake.sandbox.parse import profile
from tenant_pipeline.intake.text_encoding import known_encoding, text_encoding, text_of_bytes


def _csv(text: str | bytes, encoding: str = "utf-8") -> list[Item | Problem]:
    return list(read_csv(io.BytesIO(text if isinstance(text, bytes) else text.encode(encoding)), encoding))


def _seen(items: Sequence[Item | Problem]) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [(item.table, item.locator, item.values) for item in items if isinstance(item, Item)]


def _codes(items: Sequence[Item | Problem]) -> list[tuple[str, str]]:
    return [(item.locator, item.code) for item in items if isinstance(item, Problem)]


def test_two_tables_under_each_other_are_two_tables() -> None:
    found = _seen(_csv("hall,seats\nA,10\nB,20\n\nevent,starts,ends\nFair,2026-01-02,2026-01-04\n"))
    assert found == [
        ("", "row=2", {"hall": "A", "seats": "10"}),
        ("", "row=3", {"hall": "B", "seats": "20"}),
        ("table 2", "row=6", {"event": "Fair", "starts": "2026-01-02", "ends": "2026-01-04"}),
    ]


def test_a_blank_line_within_a_table_does_not_end_it() -> None:
    found = _seen(_csv("hall,seats\nA,10\n\nB,20\n"))
    assert [values["hall"] for _, _, values in found] == ["A", "B"]


@pytest.mark.parametrize("said", ["ฟรี", "ไม่ระบุ", "N/A", "ติดต่อสอบถาม"])
def test_a_word_for_a_number_makes_no_header_of_its_row(said: str) -> None:
    read = _csv(f"name,price,seats\nA,100,10\nB,200,20\n\nC,{said},30\nD,150,40\nE,180,50\n")
    assert [(table, *values.values()) for table, _, values in _seen(read)] == [
        ("", "A", "100", "10"), ("", "B", "200", "20"), ("", "C", said, "30"), ("", "D", "150", "40"),
        ("", "E", "180", "50"),
    ]  # fmt: skip
    assert _codes(read) == []


def test_columns_of_one_name_swallow_no_record() -> None:
    found = _seen(_csv("ชื่อ,ผู้ติดต่อ,ผู้ติดต่อ\nโรงแรม ก,สมชาย,สมหญิง\nโรงแรม ข,มานะ,มานี\n"))
    assert found == [
        ("", "row=2", {"ชื่อ": "โรงแรม ก", "ผู้ติดต่อ": "สมชาย", "ผู้ติดต่อ (2)": "สมหญิง"}),
        ("", "row=3", {"ชื่อ": "โรงแรม ข", "ผู้ติดต่อ": "มานะ", "ผู้ติดต่อ (2)": "มานี"}),
    ]


def test_a_dash_for_a_value_makes_no_header_of_its_row() -> None:
    rows = "Hotel A,1200,Kata\n\nHotel B,-,Patong\nHotel C,1500,Karon\nHotel D,900,Kata\n"
    found = _seen(_csv(f"name,price,area\n{rows}"))
    assert [(table, values["name"], values["price"]) for table, _, values in found] == [
        ("", "Hotel A", "1200"), ("", "Hotel B", "-"), ("", "Hotel C", "1500"), ("", "Hotel D", "900"),
    ]  # fmt: skip


def test_titles_and_notes_are_kept_as_text_and_totals_are_told() -> None:
    read = _csv("รายงานประจำปี,,\n,,\nจังหวัด,จำนวน,หมายเลข\nภูเก็ต,5,1\nรวม,5,\nที่มา: สำนักงานสถิติ,,\n")
    assert _seen(read) == [
        ("notes", "row=1", {"title": None, "text": "รายงานประจำปี"}),
        ("", "row=4", {"จังหวัด": "ภูเก็ต", "จำนวน": "5", "หมายเลข": "1"}),
        ("notes", "row=6", {"title": None, "text": "ที่มา: สำนักงานสถิติ"}),
    ]
    assert _codes(read) == [("row=5", "total-row")]


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    read = _csv('name,note\nA,"begun\nB,fine\nC,fine\n')
    assert [values["name"] for _, _, values in _seen(read)] == ["B", "C"]
    assert _codes(read) == [("row=2", "unclosed-quote")]


@pytest.mark.parametrize("lines", [1_900, 2_100])
def test_no_row_is_lost_after_an_unclosed_quote_however_long_the_file(lines: int) -> None:
    read = _csv('name,note\nA,"begun\n' + "B,fine\n" * lines)
    assert len(_seen(read)) == lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1,5;2\n", {"a": "1,5", "b": "2"}),
        ("a\tb\n1\t2\n", {"a": "1", "b": "2"}),
        ("a|b\nx|2\n", {"a": "x", "b": "2"}),
        ("sep=;\na;b\nx,y;2\n", {"a": "x,y", "b": "2"}),
        ("a,b\n'x,y','2'\n", {"a": "x,y", "b": "2"}),
        ('a,b\r\n"x\r\ny",2\r\n', {"a": "x\r\ny", "b": "2"}),
        ("a,b\rx,2\r", {"a": "x", "b": "2"}),
    ],
)
def test_each_dialect_is_read(text: str, expected: dict[str, str]) -> None:
    assert [values for _, _, values in _seen(_csv(text))] == [expected]


@pytest.mark.parametrize("encoding", ["cp874", "utf-16-le", "utf-16-be", "utf-16", "utf-32", "gb18030", "utf-8-sig"])
def test_the_encoding_is_found_from_the_bytes(encoding: str) -> None:
    text = {
        "gb18030": "名称,地址\n普吉会展中心,普吉府芭东海滩路一百二十号\n",
    }.get(encoding, "name,ที่อยู่,note\nศูนย์ประชุมอ่าวมะขาม,ตำบลวิชิต อำเภอเมือง จังหวัดภูเก็ต,ok\n")
    found, _ = text_encoding(text.encode(encoding))
    assert text_of_bytes(text.encode(encoding), found) == text


PROVINCES = ("ภูเก็ต", "กระบี่", "พังงา", "ตรัง", "ระนอง", "สตูล", "สงขลา", "กรุงเทพมหานคร", "สุราษฎร์ธานี", "นนทบุรี")
CHINESE = (
    ("酒店",), ("普吉",), ("北京", "上海"), ("已批准", "待审核"), ("普吉岛", "甲米", "攀牙湾"), ("名称", "地址"),
    ("芭东海滩路一百二十号",), ("普吉国际机场", "卡塔海滩"), ("一个名称中有辨识度的词都出现在另一个名称中",),
)  # fmt: skip


@pytest.mark.parametrize("word", PROVINCES)
def test_thai_is_no_chinese_however_few_words_of_it_there_are(word: str) -> None:
    text = "name,province\n" + f"Hotel,{word}\n" * 300
    found, _ = text_encoding(text.encode("cp874"))
    assert text_of_bytes(text.encode("cp874"), found) == text


@pytest.mark.parametrize("words", CHINESE, ids="-".join)
def test_chinese_is_no_thai_however_few_words_of_it_there_are(words: tuple[str, ...]) -> None:
    text = "name,province\n" + "".join(f"Hotel,{word}\n" for word in words) * 100
    found, _ = text_encoding(text.encode("gb18030"))
    assert text_of_bytes(text.encode("gb18030"), found) == text


@pytest.mark.parametrize("text", ["Köln,Größe\n" * 20, "España,café\n" * 20, "São Paulo,ÉCOLE\n" * 20])
def test_accents_are_taken_for_no_thai_chinese_or_unicode(text: str) -> None:
    assert known_encoding(text.encode("cp1252")) is None
    assert text_encoding(text.encode("cp1252"))[0] not in ("cp874", "gb18030")


@pytest.mark.parametrize(
    ("head", "encoding"), [(b"Hotel,10\n", "cp874"), (b"Hotel,10\n", "gb18030"), (b"Hotel,10\n", "utf-8"),
                           ("Caf\xe9,10\n".encode("cp1252") + b"Hotel,10\n" * 40_000, "cp874")]
)  # fmt: skip
def test_the_encoding_is_found_where_the_text_beyond_ascii_begins_late(head: bytes, encoding: str) -> None:
    late = "หอประชุม,ภูเก็ต\n" if encoding != "gb18030" else "普吉会展中心,芭东海滩路\n"
    rows = head * (1 + 300_000 // len(head)) + late.encode(encoding) * 500
    found = identify_format(io.BytesIO(b"name,seats\n" + rows), "a.csv")
    read = _seen(list(READERS[found.reader](io.BytesIO(b"name,seats\n" + rows), found.encoding)))
    assert list(read[-1][2].values()) == late.strip().split(",")


@pytest.mark.parametrize(
    ("head", "row"), [("ชื่อ,จังหวัด\n", "หอประชุม,ภูเก็ต\n"), ("", "BEGIN:VCARD\nVERSION:3.0\nFN:หอประชุม\nEND:VCARD\n")]
)
def test_a_text_put_together_of_two_encodings_is_told(head: str, row: str) -> None:
    content = head.encode() + row.encode() * 6_000 + row.encode("cp874") * 3_000
    found = profile(io.BytesIO(content), "a", samples=5)
    assert found["encoding"] == "utf-8"
    assert [code for _, code, _ in found["first_problems"]] == ["mixed-encodings"]


def test_a_byte_of_another_encoding_is_kept() -> None:
    data = "ชื่อ,หมายเหตุ\n".encode() * 10 + b"caf\xe9,x\n"
    found, _ = text_encoding(data)
    assert found == "utf-8"
    assert "café" in text_of_bytes(data, found)


def _book(fill: Any) -> io.BytesIO:
    book = Workbook()
    fill(book)
    written = io.BytesIO()
    book.save(written)
    return io.BytesIO(written.getvalue())


def test_merged_headers_name_each_column_and_merged_cells_count_for_each_row() -> None:
    def fill(book: Workbook) -> None:
        sheet = book.worksheets[0]
        sheet.title = "Halls"
        for row in (
            ["Region", "Hall", "Seats", None],
            [None, None, "theatre", "banquet"],
            ["South", "A", 120, 80],
            [None, "B", 60, 40],
        ):
            sheet.append(row)
        for merged in ("C1:D1", "A1:A2", "B1:B2", "A3:A4"):
            sheet.merge_cells(merged)

    assert _seen(list(read_workbook(_book(fill), ""))) == [
        ("Halls", "sheet=Halls&row=3", {"Region": "South", "Hall": "A", "Seats theatre": "120", "Seats banquet": "80"}),
        ("Halls", "sheet=Halls&row=4", {"Region": "South", "Hall": "B", "Seats theatre": "60", "Seats banquet": "40"}),
    ]


def test_columns_of_one_name_swallow_no_record_of_a_sheet_either() -> None:
    def fill(book: Workbook) -> None:
        for row in (["Hall", "Contact", "Contact"], ["A", "Somchai", "Somying"], ["B", "Mana", "Manee"]):
            book.worksheets[0].append(row)

    assert [values for _, _, values in _seen(list(read_workbook(_book(fill), "")))] == [
        {"Hall": "A", "Contact": "Somchai", "Contact (2)": "Somying"},
        {"Hall": "B", "Contact": "Mana", "Contact (2)": "Manee"},
    ]


def test_tables_side_by_side_are_two_tables() -> None:
    def fill(book: Workbook) -> None:
        sheet = book.worksheets[0]
        sheet.title = "S"
        for row in (["hall", "seats", None, "event", "starts"], ["A", 10, None, "Fair", "May"], ["B", 20, None, None]):
            sheet.append(row)

    assert _seen(list(read_workbook(_book(fill), ""))) == [
        ("S", "sheet=S&row=2&table=S", {"hall": "A", "seats": "10"}),
        ("S table 2", "sheet=S&row=2&table=S table 2", {"event": "Fair", "starts": "May"}),
        ("S", "sheet=S&row=3&table=S", {"hall": "B", "seats": "20"}),
    ]


def test_hidden_sheets_are_read_and_called_hidden() -> None:
    def fill(book: Workbook) -> None:
        book.worksheets[0].append(["hall", "seats"])
        book.worksheets[0].append(["A", 10])
        hidden = book.create_sheet("old")
        hidden.append(["hall", "seats"])
        hidden.append(["Z", 1])
        hidden.sheet_state = "veryHidden"

    assert [(table, values["hall"]) for table, _, values in _seen(list(read_workbook(_book(fill), "")))] == [
        ("Sheet", "A"),
        ("old (hidden)", "Z"),
    ]


def test_a_formula_without_a_stored_value_is_told_at_its_cell() -> None:
    def fill(book: Workbook) -> None:
        for row in (["hall", "seats"], ["A", "=5*2"]):
            book.worksheets[0].append(row)

    assert _codes(list(read_workbook(_book(fill), ""))) == [("sheet=Sheet&cell=B2", "formula-without-value")]


@pytest.mark.parametrize(
    ("cell", "told"), [('t="str"><f>T(C2)</f><v></v>', 0), ('t="str"><f>T(C2)</f>', 1), ("><f>T(C2)</f><v></v>", 1)]
)
def test_an_empty_text_is_a_formulas_value(cell: str, told: int) -> None:
    def fill(book: Workbook) -> None:
        for row in (["hall", "note"], ["A", "=T(C2)"]):
            book.worksheets[0].append(row)

    changed = io.BytesIO()
    with zipfile.ZipFile(_book(fill)) as written, zipfile.ZipFile(changed, "w") as package:
        for name in written.namelist():
            sheet = re.sub(rb'(<c r="B2")[^>]*>.*?(</c>)', rb"\1 " + cell.encode() + rb"\2", written.read(name))
            package.writestr(name, sheet)
    assert len(_codes(list(read_workbook(changed, "")))) == told


def test_years_as_columns_become_observations() -> None:
    read = _seen(_csv('จังหวัด,ปี 2565,ปี 2566\nภูเก็ต,"1,200",1350\nกระบี่,-,900\n'))
    assert read[0] == (
        "by year",
        "row=2&column=ปี 2565",
        {
            "จังหวัด": "ภูเก็ต",
            "observation of": "ภูเก็ต",
            "observation measure": None,
            "observation year": "2565",
            "observation value": "1,200",
        },
    )
    assert len(read) == 4


def test_a_row_without_a_figure_in_its_years_is_a_record_of_its_other_columns() -> None:
    rows = "โถง ก,ถนนดีบุก,076-000000,10,20\nโถง ข,ถนนพังงา,076-000001,,\nภาคใต้,,,,\n"
    read = _csv(f"ชื่อ,ที่อยู่,โทร,ผู้เข้าชม 2566,ผู้เข้าชม 2567\n{rows}")
    assert [(table, place) for table, place, _ in _seen(read)] == [
        ("by year", "row=2&column=ผู้เข้าชม 2566"), ("by year", "row=2&column=ผู้เข้าชม 2567"), ("", "row=3"),
    ]  # fmt: skip
    assert _seen(read)[-1][2] == {"ชื่อ": "โถง ข", "ที่อยู่": "ถนนพังงา", "โทร": "076-000001"}
    assert _codes(read) == [("row=4", "no-figures")]


def test_what_is_no_workbook_is_refused() -> None:
    before_2007 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    for data, reason in ((b"", "cannot be opened"), (b"PK\x03\x04nothing", ""), (before_2007, "that is no workbook")):
        with pytest.raises(UnreadableError, match=reason):
            list(read_workbook(io.BytesIO(data), ""))


grid_cells = st.one_of(
    st.none(), st.sampled_from(["", " ", "name", "รวม", "1", "x", "note: y", "2565", "2566"]), st.text(max_size=5)
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(grid_cells, max_size=7), max_size=60), st.booleans())
def test_every_filled_row_of_a_grid_is_accounted_for(rows: list[list[str | None]], cells_may_shift: bool) -> None:
    found = list(grid_items(enumerate(rows, 1), "", "{}".format, cells_may_shift=cells_may_shift))
    told = {item.locator.split("&")[0] for item in found}
    filled = [str(number) for number, row in enumerate(rows, 1) if any(cell and cell.strip() for cell in row)]
    header_rows = 3  # of each table, its header is not an item
    tables = len({item.table for item in found if isinstance(item, Item)}) + 1
    alone = ("no-figures", "total-row")  # perhaps of a table without items
    tables += sum(isinstance(item, Problem) and item.code in alone for item in found)
    assert len(set(filled) - told) <= header_rows * tables
    assert told <= set(filled)


def test_a_large_workbook_is_read_as_a_small_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(book: Workbook) -> None:
        sheet = book.worksheets[0]
        for row in (
            ["Venues"],
            [],
            ["hall", "seats", "opened", "open", "at"],
            ["A", 10, date(2020, 1, 2), True, time(9, 30)],
            ["B", 2.5, datetime(2020, 1, 2, 9, 30), False, None],
        ):
            sheet.append(row)
        book.create_sheet("old").append(["x", "y"])
        book.worksheets[1].append([1, 2])
        book.worksheets[1].sheet_state = "hidden"

    def read() -> list[tuple[str, str, dict[str, Any]]]:
        found = _seen(list(read_workbook(_book(fill), "")))
        return [(table, place, {n: v for n, v in values.items() if v}) for table, place, values in found]

    small = read()
    monkeypatch.setattr("tenant_pipeline.intake.readers.workbook_streamed.LARGE_SHEET_BYTES", 0)
    assert read() == small
    assert len(small) == 4
