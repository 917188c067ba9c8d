"""Names keep their letters and lose their noise; addresses are written out and can be taken apart."""

from __future__ import annotations

import csv
import json
import pathlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.standardise.addresses import AddressParts, address_parts, standardise_address
from tenant_pipeline.core.standardise.language import language_by_script
from tenant_pipeline.core.standardise.names import name_key, standardise_name
from tenant_pipeline.core.standardise.reading import Context, Unreadable
from tenant_pipeline.core.standardise.text import standardise_category, standardise_text
from tests.unit.core.standardise_memory import TOKEN

GAZETTEERS = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data" / "thai_gazetteers"


def name(value: str) -> str:
    return standardise_name(value, Context()).value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  นํ้าตก\u200b  กะทู้ ", "น้ำตก กะทู้"),
        ("เเหลมพรหมเทพ", "แหลมพรหมเทพ"),
        ("ก่่ะตะ", "ก่ะตะ"),
        ("Ｐｈｕｋｅｔ　（Ｔｏｗｎ）", "Phuket (Town)"),
        ("cafe\u0301 Del Mar", "caf\u00e9 Del Mar"),
        ("นาๆ  ชาติ", "นาๆ ชาติ"),
    ],
)
def test_a_name_is_written_one_way_in_its_own_case_and_script(value: str, expected: str) -> None:
    assert name(value) == expected


def test_a_name_without_letters_is_refused() -> None:
    for value in ("—", "...", "\u200b", " "):
        with pytest.raises(Unreadable):
            name(value)


@given(st.text())
def test_running_text_is_nfc_on_one_line(value: str) -> None:
    try:
        text = standardise_text(value, Context()).value
    except Unreadable:
        return
    assert unicodedata.is_normalized("NFC", text)
    assert text == " ".join(text.split())


def test_category_words_are_one_in_every_case() -> None:
    assert {standardise_category(word, Context()).value for word in ("Hotel", " HOTEL", "ｈｏｔｅｌ")} == {"hotel"}


@pytest.mark.parametrize(
    ("lang", "names"),
    [
        ("th", ("ภูเก็ต", "จังหวัดภูเก็ต", "จ.ภูเก็ต", "จังหวัด ภูเก็ต")),
        ("th", ("เมืองภูเก็ต", "อำเภอเมืองภูเก็ต", "อ. เมือง ภูเก็ต")),
        ("th", ("บริษัท ทะเลใต้ จำกัด", "บจก. ทะเลใต้", "ทะเลใต้", "บริษัท ทะเลใต้ จำกัด (มหาชน)")),
        ("en", ("Phra Nakhon", "Khet Phra Nakhon", "PHRA NAKHON DISTRICT", "Amphoe Phranakhon")),
        ("en", ("Talat Yai", "Tambon Talat Yai", "Talat Yai Sub-district")),
        (
            "en",
            ("Andaman Events", "Andaman Events Co., Ltd.", "ANDAMAN EVENTS COMPANY LIMITED", "Andaman-Events Co.,Ltd"),
        ),
        ("zh", ("普吉國際會議中心", "普吉国际会议中心")),
        ("zh", ("普吉府", "普吉")),
        ("zh", ("安达曼会展有限公司", "安達曼會展股份有限公司", "安达曼会展")),
    ],
)
def test_spellings_of_a_name_share_its_key(lang: str, names: tuple[str, ...]) -> None:
    assert len({name_key(spelling, lang) for spelling in names}) == 1


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("th", "ตลาดใหญ่", "ตลาดเหนือ"),
        ("th", "มา", "ม้า"),
        ("en", "Mueang Phuket", "Phuket"),
        ("en", "Hall 1", "Hall 2"),
        ("th", "เขต", "แขวง"),
    ],
)
def test_different_names_have_different_keys(lang: str, one: str, other: str) -> None:
    assert name_key(one, lang) != name_key(other, lang)


def test_the_gazetteers_agree_on_nearly_all_thai_district_names() -> None:
    if not GAZETTEERS.exists():
        pytest.skip("the gazetteers are not beside this checkout")
    geothai = json.loads((GAZETTEERS / "geothai/data/v1/districts.json").read_text())
    with (GAZETTEERS / "kongvut/formats/csv/districts.csv").open(newline="") as file:
        kongvut = {row["id"]: row for row in csv.DictReader(file)}
    shared = [(row, kongvut[str(row["district_id"])]) for row in geothai if str(row["district_id"]) in kongvut]
    same = sum(name_key(ours["district_name_th"], "th") == name_key(theirs["name_th"], "th") for ours, theirs in shared)
    exactly = sum(ours["district_name_th"] == theirs["name_th"] for ours, theirs in shared)
    assert len(shared) > 900
    assert same > exactly
    assert same / len(shared) > 0.99


def test_two_thirds_of_the_gazetteers_english_differences_are_spacing_and_hyphens() -> None:
    if not GAZETTEERS.exists():
        pytest.skip("the gazetteers are not beside this checkout")
    geothai = json.loads((GAZETTEERS / "geothai/data/v1/subdistricts.json").read_text())
    tgj = json.loads((GAZETTEERS / "tgj/src/subdistricts.json").read_text())
    with (GAZETTEERS / "kongvut/formats/csv/sub_districts.csv").open(newline="") as file:
        sources = (
            {str(row["subdistrict_id"]): row["subdistrict_name_en"] for row in geothai},
            {str(row["subdistrictCode"]): row["subdistrictNameEn"] for row in tgj},
            {row["id"]: row["name_en"] for row in csv.DictReader(file)},
        )
    shared = set.intersection(*(set(source) for source in sources))
    differ = sum(len({source[code] for source in sources}) > 1 for code in shared)
    differ_by_key = sum(len({name_key(source[code], "en") for source in sources}) > 1 for code in shared)
    assert (len(shared), differ, differ_by_key) == (7407, 641, 213)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("วัดฉลอง", "th"),
        ("วัดฉลอง (Wat)", "th"),
        ("Wat Chalong", "en"),
        ("查龙寺", "zh"),
        ("プーケット島", "ja"),
        ("333", "und"),
        (TOKEN, "und"),
        (f"โทร {TOKEN}", "th"),
    ],
)
def test_a_language_is_told_by_its_script(text: str, language: str) -> None:
    assert language_by_script(text) == language


PHUKET = AddressParts("123/45", "5", "สุขสันต์", "เจ้าฟ้า", "ฉลอง", "เมือง", "ภูเก็ต", "83130")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("123/45 ม.5 ซ.สุขสันต์ ถ.เจ้าฟ้า ต.ฉลอง อ.เมือง จ.ภูเก็ต 83130", PHUKET),
        ("เลขที่ ๑๒๓/๔๕ หมู่ที่ ๕ ซอย สุขสันต์ ถนน เจ้าฟ้า ตำบล ฉลอง อำเภอ เมือง จังหวัด ภูเก็ต ๘๓๑๓๐", PHUKET),
        ("123/45 หมู่ 5, ซอยสุขสันต์, ถนนเจ้าฟ้า, ต.ฉลอง, อ.เมือง, ภูเก็ต 83130", PHUKET),
        (
            "12/3ม.5ต.ฉลองอ.เมืองจ.ภูเก็ต83130",
            AddressParts("12/3", "5", tambon="ฉลอง", amphoe="เมือง", changwat="ภูเก็ต", postcode="83130"),
        ),
        (
            "99 ถนนพระราม 4 แขวงคลองเตย เขตคลองเตย กทม. 10110",
            AddressParts("99", "", "", "พระราม 4", "คลองเตย", "คลองเตย", "กรุงเทพมหานคร", "10110"),
        ),
        (
            "123/45 Moo 5, Soi Suksan, Chaofa Rd., T. Chalong, A. Muang, Phuket 83130",
            AddressParts("123/45", "5", "Suksan", "Chaofa", "Chalong", "Muang", "Phuket", "83130"),
        ),
        (
            "55 M.3 Wichit Songkhram Rd Tambol Wichit Amphur Mueang Phuket, Phuket 83000 Thailand",
            AddressParts("55", "3", "", "Wichit Songkhram", "Wichit", "Mueang Phuket", "Phuket", "83000"),
        ),
    ],
)
def test_an_address_can_be_taken_apart_however_it_was_abbreviated(value: str, parts: AddressParts) -> None:
    assert address_parts(standardise_address(value, Context()).value) == parts


@pytest.mark.parametrize("value", ["ศาลากลางจังหวัดภูเก็ต", "ม.อ. ภูเก็ต", "T. S. Eliot House", f"บ้าน {TOKEN} ต.ฉลอง"])
def test_what_only_looks_like_a_marker_stays(value: str) -> None:
    assert standardise_address(value, Context()).value == value
