"""Names of persons in Thai, English and Chinese: found where a sentence speaks of somebody, not in names of places."""

from __future__ import annotations

import csv
import pathlib
import random
from itertools import product

import pyarrow as pa
import pytest

from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.column_evidence import column_evidence
from tenant_pipeline.pii.recognisers.person_cell import looks_like_a_person
from tenant_pipeline.pii.recognisers.person_titles import TITLE
from tenant_pipeline.pii.recognisers.thai_names.features import words_of_text
from tenant_pipeline.pii.recognisers.thai_names.model import names_in, spans


def persons(analyzer: PiiAnalyzer, text: str, *context: str) -> list[str]:
    return [text[one.start : one.end] for one in analyzer.find(text, context) if one.entity_type == "PERSON"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ทั้งนี้ ธีรเดช วงศ์ไพศาลกิจ ผู้จัดการฝ่ายขายเปิดเผยว่า ได้รับการจองแล้ว", ["ธีรเดช วงศ์ไพศาลกิจ"]),
        ("ด้าน ดร.อรัญญา มณีโชติ ระบุว่าโครงการนี้จะช่วยให้ชุมชนมีรายได้", ["อรัญญา มณีโชติ"]),
        ("พร้อมด้วยนายปริญญ์ สุขสมบูรณ์ และนางกมลทิพย์ แก้วมณี ร่วมพิธีเปิด", ["ปริญญ์ สุขสมบูรณ์", "กมลทิพย์ แก้วมณี"]),
        ("พ.ต.อ.ชัยวัฒน์ ศรีเมืองงาม ลงพื้นที่ตรวจสอบความปลอดภัย", ["ชัยวัฒน์ ศรีเมืองงาม"]),
        ("ทั้งนี้ นายวิชัย เมืองแก้ว กล่าวว่าจะเร่งดำเนินการ", ["วิชัย เมืองแก้ว"]),
        ("My name is Somchai Jaidee and I am from Phuket", ["Somchai Jaidee"]),
        ("The award went to Dennis Kowalski, who lives in Bangkok.", ["Dennis Kowalski"]),
        ("He said that the painter is his brother Oliver and that the hall is new", ["Oliver"]),
        ("李志强表示,会议中心将于明年三月开业", ["李志强"]),
        ("记者王小明报道", ["王小明"]),
        ("联系人:陈静,电话13800138000", ["陈静"]),
    ],
)
def test_a_name_without_a_title_is_found_where_the_text_speaks_of_somebody(
    analyzer: PiiAnalyzer, text: str, names: list[str]
) -> None:
    assert persons(analyzer, text) == names


@pytest.mark.parametrize(
    "text",
    [
        "Charlie Palmer Steak House", "John Smith",
        "The hall is in Franklin Park on Charles Street, to the north of the lake",
        "The exhibition is at Victoria Hall and was at George Hotel", "Mount Vernon is to the south of the city",
        "ร้านลักษณา ขาหมู", "ถนนเทพกระษัตรี ตำบลศรีสุนทร อำเภอถลาง จังหวัดภูเก็ต 83110", "โรงแรมคุณนายทะเลใส รีสอร์ท",
        "จัดกำลัง 132 นาย และสุนัขตำรวจเข้าสำรวจพื้นที่", "อาการของเด็กชายวัย 6 ขวบดีขึ้นแล้ว", "ถ้ำหลวง-ขุนน้ำนางนอน อำเภอแม่สาย",
        "สำนักงานใหญ่ตั้งอยู่ที่อำเภอเมืองนครศรีธรรมราช จังหวัดนครศรีธรรมราช", "普吉国际会展中心", "马上说明", "高度认为",
        "1737 Cheriton Dr Reuquén Extensions",
    ],
)  # fmt: skip
def test_a_place_is_not_taken_for_the_person_it_is_named_after(analyzer: PiiAnalyzer, text: str) -> None:
    assert persons(analyzer, text) == []


def test_the_model_reads_names_with_their_titles_and_marks_their_offsets() -> None:
    text = "วันนี้ นายสมชาย ใจดี กล่าวว่าจะเดินทางไปกรุงเทพ"
    assert [text[start:end] for start, end in names_in(text)] == ["นายสมชาย ใจดี"]


def test_words_are_the_text_again_and_labels_become_spans() -> None:
    text = "โดยนายสมชาย ใจดีกล่าว abc 12"
    assert "".join(words_of_text(text)) == text
    assert list(spans(["ab", "c", "de", "f"], ["B", "I", "O", "I"])) == [(0, 3), (5, 6)]
    assert list(spans(["ab", "c"], ["B", "B"])) == [(0, 2), (2, 3)]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("พล.ต.อ. ประเสริฐ", "พล.ต.อ. "),
        ("ผศ.ดร.กุลธิดา", "ผศ.ดร."),
        ("นางสาวมาลี", "นางสาว"),
        ("พันตำรวจเอก ชัย", "พันตำรวจเอก "),
        ("Dr. Somchai", "Dr. "),
    ],
)
def test_every_title_before_a_name_is_told_from_it(text: str, title: str) -> None:
    match = TITLE.match(text)
    assert match is not None
    assert match[0] == title


def test_a_column_of_names_is_taken_for_persons_whatever_its_field_is_called(analyzer: PiiAnalyzer) -> None:
    names = [
        "สมชาย ใจดี", "นางสาวพิมพ์มาดา สุขใจ", "ก้องภพ ทองสุข", "อรัญญา มณีโชติ", "John Carter", "Mary Weiss", "陈静", "王芳",
        "李伟", "SARAH TAYLOR", "Xyzzy Plugh", "n/a",
    ]  # fmt: skip
    evidence = column_evidence(pa.array(names))
    assert evidence == ("series:person-name",)
    found = analyzer.find_all(pa.array(names), ("remark", *evidence))
    assert [names[index] for index in found] == names[:-1]
    for index, name in enumerate(names):
        assert found.get(index, ()) == analyzer.find_by_engine_alone(name, ("remark", *evidence))


def test_names_at_the_end_of_a_long_column_count_as_those_at_its_beginning() -> None:
    companies = [f"Company {number}" for number in range(4_000)]
    persons = [f"สมชาย {''.join(letters)}" for letters in product("กขคงจฉชซ", repeat=4)]
    assert column_evidence(pa.array(companies + persons)) == ("series:person-name",)
    assert column_evidence(pa.array(companies)) == ()


def test_a_column_of_places_or_too_few_names_is_not() -> None:
    places = [
        "Kata Beach",
        "Robinson Lifestyle",
        "Charlie Palmer",
        "หาดป่าตอง",
        "普吉镇",
        "King Power",
        "Old Town",
        "ถลาง",
    ]
    assert column_evidence(pa.array([*places, "Bang Tao", "Karon", "Kamala", "Surin", "King Power"])) == ()
    assert column_evidence(pa.array(["John Carter", "Mary Weiss", None, ""])) == ()


@pytest.mark.parametrize(
    ("cell", "is_one"),
    [
        ("สมชาย ใจดี", True), ("นายสมชาย ใจดี", True), ("Carter, John", True), ("john carter", True), ("陈静", True),
        ("โรงแรม ทะเลใส", False), ("Kata Beach", False), ("普吉", False), ("", False),
        ("John", False), ("12345", False),
    ],
)  # fmt: skip
def test_a_cell_looks_like_a_person_only_by_listed_names(cell: str, is_one: bool) -> None:
    assert looks_like_a_person(cell) is is_one


def test_addresses_of_every_district_are_taken_for_persons_in_less_than_one_of_a_hundred(
    analyzer: PiiAnalyzer, shared_data: pathlib.Path
) -> None:
    folder = shared_data / "thai_gazetteers" / "kongvut" / "formats" / "csv"
    tables = {}
    for name in ("sub_districts", "districts", "provinces"):
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    districts = {row["id"]: row for row in tables["districts"]}
    provinces = {row["id"]: row for row in tables["provinces"]}
    addresses = []
    for row in random.Random(7).sample(tables["sub_districts"], 1_000):
        district = districts[row["district_id"]]
        province = provinces[district["province_id"]]["name_th"]
        addresses.append(f"12/3 หมู่ที่ 4 ตำบล{row['name_th']} อำเภอ{district['name_th']} จังหวัด{province} 83110")
    answers = analyzer.find_all(pa.array(addresses))
    assert sum(any(one.entity_type == "PERSON" for one in found) for found in answers.values()) < 10
