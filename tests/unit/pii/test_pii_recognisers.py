"""Each recogniser finds its subject in the forms people type, and leaves what only looks like it."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.nearby_words import field_words
from tenant_pipeline.pii.recognisers.national_phone import REGIONS, in_a_plan
from tenant_pipeline.pii.recognisers.numbering_plans import TRUNK_ZERO
from tenant_pipeline.pii.recognisers.thai_phone import thai_number


def found(analyzer: PiiAnalyzer, text: str, *context: str) -> list[tuple[str, str]]:
    return [(one.entity_type, text[one.start : one.end]) for one in analyzer.find(text, context)]


@pytest.mark.parametrize(
    ("text", "entity_type", "value"),
    [
        ("เลขบัตร 3-1006-00445-63-5", "TH_NATIONAL_ID", "3-1006-00445-63-5"),
        ("3 1006 00445 63 5", "TH_NATIONAL_ID", "3 1006 00445 63 5"),
        ("เลขที่๓๑๐๐๖๐๐๔๔๕๖๓๕ครับ", "TH_NATIONAL_ID", "๓๑๐๐๖๐๐๔๔๕๖๓๕"),
        ("บัตรประชาชน3100600445635ของเขา", "TH_NATIONAL_ID", "3100600445635"),
        ("ID３１００６００４４５６３５。", "TH_NATIONAL_ID", "３１００６００４４５６３５"),
        ("tel0812345678ext12", "PHONE_NUMBER", "0812345678"),
        ("บ้านเลขที่ 5 3-1006-00445-63-5", "TH_NATIONAL_ID", "3-1006-00445-63-5"),
        ("โทร0812345678ครับ", "PHONE_NUMBER", "0812345678"),
        ("โทร.๐๘๑-๒๓๔-๕๖๗๘", "PHONE_NUMBER", "๐๘๑-๒๓๔-๕๖๗๘"),
        ("０８１２３４５６７８", "PHONE_NUMBER", "０８１２３４５６７８"),
        ("081–234–5678", "PHONE_NUMBER", "081–234–5678"),
        ("076-212297, 076-222913", "PHONE_NUMBER", "076-212297"),
        ("076-212297-8", "PHONE_NUMBER", "076-212297"),
        ("+66 (0) 81 234 5678", "PHONE_NUMBER", "+66 (0) 81 234 5678"),
        ("请打+86 138 0013 8000谢谢", "PHONE_NUMBER", "+86 138 0013 8000"),
        ("手机13800138000谢谢", "PHONE_NUMBER", "13800138000"),
        ("call (415) 555-2671 now", "PHONE_NUMBER", "(415) 555-2671"),
        ("https://wa.me/66812345678", "PHONE_NUMBER", "66812345678"),
        ("tel: 8765 4321", "PHONE_NUMBER", "8765 4321"),
        ("อีเมลsomchai@example.co.thครับ", "EMAIL_ADDRESS", "somchai@example.co.th"),
        ("邮箱somchai@example.com。", "EMAIL_ADDRESS", "somchai@example.com"),
        ("https://example.org/?email=somchai@example.com&x=1", "EMAIL_ADDRESS", "somchai@example.com"),
        ("ｓｏｍ＠ｅｘａｍｐｌｅ．ｃｏｍ", "EMAIL_ADDRESS", "ｓｏｍ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("身份证11010519491231002X号", "CN_RESIDENT_ID", "11010519491231002X"),
        ("passport no. AA1234567", "PASSPORT", "AA1234567"),
        ("หนังสือเดินทางเลขที่ AB987654", "PASSPORT", "AB987654"),
        ("4111 1111 1111 1111", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("my card 180016070420458", "CREDIT_CARD", "180016070420458"),
        ("IBAN GB82 WEST 1234 5698 7654 32 and more", "IBAN_CODE", "GB82 WEST 1234 5698 7654 32"),
        ("123-4-56789-0", "TH_BANK_ACCOUNT", "123-4-56789-0"),
        ("เลขที่บัญชี 1234567890", "TH_BANK_ACCOUNT", "1234567890"),
        ("LINE ID: somchai.j", "LINE_ID", "somchai.j"),
        ("แอดไลน์ @phuket_tour", "LINE_ID", "@phuket_tour"),
        ("from 203.0.113.42", "IP_ADDRESS", "203.0.113.42"),
        ("2001:db8::ff00:42:8329", "IP_ADDRESS", "2001:db8::ff00:42:8329"),
        ("00:1B:44:11:3A:B7", "MAC_ADDRESS", "00:1B:44:11:3A:B7"),
        ("โดยนายสมชาย ใจดีกล่าวว่า", "PERSON", "สมชาย ใจดี"),
        ("โดยนายสมชาย\u00a0ใจดี\u00a0กล่าวว่า", "PERSON", "สมชาย\u00a0ใจดี"),
        ("น.ส.มาลี ศรีสุข", "PERSON", "มาลี ศรีสุข"),
        ("พล.ต.อ. ประเสริฐ มั่นคง", "PERSON", "ประเสริฐ มั่นคง"),
        ("ติดต่อคุณสมชาย ใจดี", "PERSON", "สมชาย ใจดี"),
        ("Dr. Somchai Jaidee said", "PERSON", "Somchai Jaidee"),
        ("Khun Somchai Jaidee", "PERSON", "Somchai Jaidee"),
        ("请找王小明先生", "PERSON", "王小明"),
        ("E-mail ..........somchai@gmail.com", "EMAIL_ADDRESS", "somchai@gmail.com"),
        ("อีเมล.somchai@gmail.com", "EMAIL_ADDRESS", "somchai@gmail.com"),
        ("write to somchai.@example.com", "EMAIL_ADDRESS", "somchai.@example.com"),
        ("ติดต่อsomchai@ธนาคาร.ไทยครับ", "EMAIL_ADDRESS", "somchai@ธนาคาร.ไทย"),
        ("สมหญิง@ไทย.ไทย", "EMAIL_ADDRESS", "สมหญิง@ไทย.ไทย"),
        ("อีเมลสมหญิง@example.com", "EMAIL_ADDRESS", "อีเมลสมหญิง@example.com"),
        ("请联系 王芳@例子.中国谢谢", "EMAIL_ADDRESS", "王芳@例子.中国"),
        ("a@b.coอีเมล", "EMAIL_ADDRESS", "a@b.co"),
        ("a@b.com.โทร.Somchai", "EMAIL_ADDRESS", "a@b.com"),
        ("https://example.org/?email=somchai.jaidee%40example.com&x", "EMAIL_ADDRESS", "somchai.jaidee%40example.com"),
        ("https://api.whatsapp.com/send?phone=%2B66812345678", "PHONE_NUMBER", "%2B66812345678"),
        ("/%30812345678/a", "PHONE_NUMBER", "%30812345678"),
        ("?to=somchai%2540example.com", "EMAIL_ADDRESS", "somchai%2540example.com"),
        ("?q=%FF%E0%B9%82%E0%B8%97%E0%B8%A3%200812345678", "PHONE_NUMBER", "0812345678"),
        ("เลขบัตร 3100600445635.0", "TH_NATIONAL_ID", "3100600445635.0"),
        ("ID３１００６００４４５６３５．００", "TH_NATIONAL_ID", "３１００６００４４５６３５．００"),
        ("my card 4111111111111111.0", "CREDIT_CARD", "4111111111111111.0"),
        ("身份证 110105194912310038.0", "CN_RESIDENT_ID", "110105194912310038.0"),
        ("passport no. 123456789.0", "PASSPORT", "123456789.0"),
        ("ssn 123456789.0", "US_SSN", "123456789.0"),
        ("ใบขับขี่ 54001234.0", "DRIVING_LICENCE", "54001234.0"),
        ("ใบขับขี่ 540012.0", "DRIVING_LICENCE", "540012.0"),
        ("เลขที่บัญชี 1234567890.0", "TH_BANK_ACCOUNT", "1234567890.0"),
        ("手机13800138000.0谢谢", "PHONE_NUMBER", "13800138000.0"),
    ],
)
def test_a_value_is_found_in_the_form_people_type(
    analyzer: PiiAnalyzer, text: str, entity_type: str, value: str
) -> None:
    assert (entity_type, value) in found(analyzer, text)


@pytest.mark.parametrize(
    "text",
    [
        "8301", "830101", "83000", "7.880447", "98.392334", "7.880447,98.392334", "POINT(98.392334 7.880447)",
        "2023-01-02T03:04:05.000+07:00", "2019-08-09 03:33:09", "05-01-2566", "1690000000", "1690000000000",
        "1690000000000.0", "3100600445635.5", "เลขบัตร 3100600445635.01", "08.00-12.00 13.00-17.00 น.",
        "02 1234567.00 บาท", "1,234,567.89",
        "ISBN 978-3-16-148410-0", "v1.2.3.4", "10:20:30", "logo@2x.png", "@name@server.social",
        "เปิด 09.00-18.00 น.", "นายกรัฐมนตรี", "นายอำเภอเมืองภูเก็ต", "อำเภอนางรอง", "ตำบลนายม", "คุณภาพชีวิต ที่ดี",
        "สำนักงาน ก.พ.ร. และศูนย์ อำนวยการ", "ขุนนาง ชั้นสูง", "Khun Yuam", "Bang Khun Thian", "ออนไลน์ Phuket",
        "line 5", "airline: thai", "各位先生", "Dr.", "Miss Universe Thailand", "https://example.org/news/0812345678",
        "Driving licence and a deposit of 100000.00 THB required", "passport and 123456789.00 baht",
        "a3f5c0812345678bd2", "10,000,000 บาท", "100%40 of 2%", "https://example.org/%E0%B8%9A%E0%B9%89%E0%B8%B2%E0%B8%99",
    ],
)  # fmt: skip
def test_what_only_looks_personal_is_left(analyzer: PiiAnalyzer, text: str) -> None:
    assert found(analyzer, text) == []


@pytest.mark.parametrize("text", ["งานเลี้ยง@รร.ฮิลตัน", "งานเลี้ยง@รร.Sunrise", "Sale@จ.ภูเก็ต", "@สมหญิง@server.social"])
def test_a_place_behind_an_at_sign_is_no_domain(analyzer: PiiAnalyzer, text: str) -> None:
    assert "EMAIL_ADDRESS" not in {entity_type for entity_type, _ in found(analyzer, text)}


@pytest.mark.parametrize("field", ["ผู้ติดต่อ", "contact person", "contactPerson", "联系人", "ชื่อ-นามสกุล", "Full Name"])
def test_a_field_declared_to_hold_persons_makes_its_whole_cell_one(analyzer: PiiAnalyzer, field: str) -> None:
    assert found(analyzer, "สมชาย ใจดี", field_words(field)) == [("PERSON", "สมชาย ใจดี")]
    assert found(analyzer, "คุณสมชาย ใจดี (0812345678)", field_words(field)) == [
        ("PERSON", "สมชาย ใจดี"),
        ("PHONE_NUMBER", "0812345678"),
    ]
    assert found(analyzer, "n/a", field_words(field)) == []


def test_a_plain_name_field_is_not_a_persons(analyzer: PiiAnalyzer) -> None:
    assert found(analyzer, "โรงแรมทะเลใส", "ชื่อ") == []
    assert found(analyzer, "Hotel Thalesai", "name en") == []


@pytest.mark.parametrize("field", ["organizer", "author", "ผู้จัดงาน", "作者"])
def test_whoever_organises_or_writes_is_a_person_where_the_whole_cell_looks_like_one(
    analyzer: PiiAnalyzer, field: str
) -> None:
    for name in ("John Carter", "สมชาย ใจดี", "李伟"):
        assert found(analyzer, name, field_words(field)) == [("PERSON", name)]
    for other in ("Bay Centre", "การท่องเที่ยวแห่งประเทศไทย", "John Carter Hotel", "普吉市政府"):
        assert found(analyzer, other, field_words(field)) == []


def test_tel_in_hotel_is_no_telephone_field(analyzer: PiiAnalyzer) -> None:
    assert found(analyzer, "12345678", "hotel code") == []
    assert found(analyzer, "12345678", "tel") == [("PHONE_NUMBER", "12345678")]


def test_an_amount_is_no_account_where_its_field_tells_of_a_bank(analyzer: PiiAnalyzer) -> None:
    assert found(analyzer, "1250000000.00", field_words("เงินฝากธนาคาร")) == []


def test_random_ten_digit_numbers_are_flagged_in_less_than_one_of_a_hundred(analyzer: PiiAnalyzer) -> None:
    chance = random.Random(7)
    flagged = sum(bool(analyzer.find(str(chance.randrange(10**9, 10**10)))) for _ in range(5_000))
    assert flagged < 50


@pytest.mark.parametrize("seconds", [1, 1000], ids=["seconds", "milliseconds"])
def test_time_stamps_are_flagged_in_less_than_one_of_a_hundred(analyzer: PiiAnalyzer, seconds: int) -> None:
    chance = random.Random(7)
    stamps = (str(chance.randrange(1_262_304_000 * seconds, 1_893_456_000 * seconds)) for _ in range(5_000))
    assert sum(bool(analyzer.find(stamp)) for stamp in stamps) < 50


def test_coordinates_are_flagged_in_less_than_one_of_a_hundred(analyzer: PiiAnalyzer) -> None:
    chance = random.Random(7)
    points = (f"{chance.uniform(-90, 90):.7f}, {chance.uniform(-180, 180):.7f}" for _ in range(5_000))
    assert sum(bool(analyzer.find(point)) for point in points) < 50


def test_the_thai_numbering_plan_is_phonenumbers_own() -> None:
    chance = random.Random(7)
    for _ in range(4_000):
        digits = "0" + str(chance.randrange(10**7, 10**9))
        expected = phonenumbers.is_valid_number(phonenumbers.parse(digits, "TH")) and len(digits) in (9, 10)
        assert thai_number(digits) == expected


def test_what_is_in_a_plan_is_what_phonenumbers_own_parser_finds_valid() -> None:
    chance = random.Random(7)
    codes = [str(phonenumbers.country_code_for_region(region)) for region in TRUNK_ZERO]
    for start in [""] * 1_500 + ["0", "00", *codes] * 60:
        size = chance.randrange(8, 11) - len(start)
        digits = f"0{start}" + "".join(chance.choice("0123456789") for _ in range(size))
        assert in_a_plan(digits) == any(_is_valid(digits, region) for region in REGIONS), digits


def _is_valid(number: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
