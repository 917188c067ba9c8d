"""Fields of PDPA section 26 are found by their names in three languages and their values, and places are left alone."""

from __future__ import annotations

import pytest

from tenant_pipeline.core.gate import Band
from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.special_categories import SpecialCategory, category_of, names_person
from tests.unit.pii.memory_stage import MemoryStage, pii_policy, records_stage
from tests.unit.pii.screening import dashed, numbers, run, values


def found(field: str, *cells: str, persons: bool = False) -> SpecialCategory | None:
    return category_of(field, lambda: cells, lambda: persons)


@pytest.mark.parametrize(
    ("category", "fields"),
    [
        ("ethnic-origin", ["ethnic_origin", "เชื้อชาติ", "种族"]),
        ("political-opinion", ["politicalOpinion", "Party affiliation", "ความเห็นทางการเมือง", "政治面貌"]),
        ("belief", ["Religious Affiliation", "การนับถือศาสนา", "宗教信仰"]),
        ("sexual-behaviour", ["sexual_orientation", "รสนิยมทางเพศ", "性取向"]),
        ("criminal-record", ["guest.criminal_record", "ประวัติอาชญากรรม", "犯罪记录"]),
        ("health", ["bloodType", "HIV status", "โรคประจำตัว", "หมู่เลือด", "ประวัติแพ้ยา", "病史", "血型"]),
        ("disability", ["disability type", "ประเภทความพิการ", "残疾类型"]),
        ("trade-union", ["trade_union", "unionMember", "สมาชิกสหภาพแรงงาน", "工会会员"]),
        ("genetic", ["genotype", "ข้อมูลพันธุกรรม", "基因检测"]),
        ("biometric", ["biometric_data", "iris scan", "ข้อมูลลายนิ้วมือ", "指纹信息", "人脸识别"]),
    ],
)
def test_a_name_that_says_so_is_enough(category: str, fields: list[str]) -> None:
    assert {field: found(field) for field in fields} == dict.fromkeys(fields, SpecialCategory(category))


@pytest.mark.parametrize(
    ("category", "fields"),
    [
        ("belief", ["religion", "denomination", "ศาสนา", "นิกาย", "宗教"]),
        ("disability", ["wheelchair", "disabled", "ความพิการ", "残疾"]),
        ("health", ["allergies", "diagnosis", "สุขภาพ", "อาหารที่แพ้", "健康"]),
        ("ethnic-origin", ["race", "tribe", "กลุ่มชาติพันธุ์", "民族"]),
        ("criminal-record", ["convictions", "คดีอาญา", "罪名"]),
        ("trade-union", ["union", "สหภาพ"]),
    ],
)
def test_a_name_that_places_have_too_counts_only_where_the_table_holds_persons(
    category: str, fields: list[str]
) -> None:
    assert {field: found(field, "1", "2", persons=True) for field in fields} == dict.fromkeys(
        fields, SpecialCategory(category)
    )
    assert {field: found(field, "1", "2") for field in fields} == dict.fromkeys(fields)


@pytest.mark.parametrize(
    "field",
    [
        "disabled_access", "wheelchair ramp", "accessible toilets", "ห้องน้ำคนพิการ", "ทางลาดสำหรับผู้พิการ",
        "无障碍设施", "残疾人卫生间", "health center", "เขตสุขภาพ", "number of disabled", "จำนวนคนพิการ",
        "ร้อยละผู้นับถือศาสนาพุทธ", "宗教人数", "population by race", "gender_neutral", "embrace", "trace", "racecourse",
        "partner", "parties", "unionpay", "healthy", "genre", "gender", "อาคาร", "โรงแรม", "มหาวิทยาลัย", "民宿", "指南",
        "nationality",
    ],
)  # fmt: skip
def test_words_that_only_look_alike_and_facilities_and_statistics_are_no_alarm(field: str) -> None:
    assert found(field, "yes", "no", persons=True) is None


@pytest.mark.parametrize(
    ("field", "cells", "category"),
    [
        ("race", ("White", "Asian", "Black", "other"), "ethnic-origin"),
        ("民族", ("汉族", "回族", "壮族"), "ethnic-origin"),
        ("orientation", ("heterosexual", "gay", "bisexual"), "sexual-behaviour"),
        ("party", ("Democrat", "Republican", "Independent"), "political-opinion"),
        ("พรรค", ("พรรคก้าวหน้า", "พรรคชาติ"), "political-opinion"),
        ("condition", ("Type 2 diabetes", "เบาหวาน", "hypertension"), "health"),
    ],
)
def test_coded_values_speak_where_a_name_does_not(field: str, cells: tuple[str, ...], category: str) -> None:
    assert found(field, *cells) is SpecialCategory(category)


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        ("race", ("10K", "Half marathon", "42.195 km")),
        ("orientation", ("landscape", "portrait")),
        ("party", ("2", "4", "12")),
        ("condition", ("new", "good", "ดี")),
        ("group", ("A", "B")),
        ("fingerprint", ("d41d8cd98f00b204e9800998ecf8427e",)),
    ],
)
def test_values_refute_what_a_name_might_mean_even_beside_persons(field: str, cells: tuple[str, ...]) -> None:
    assert found(field, *cells, persons=True) is None


def test_a_column_of_blood_groups_is_known_by_its_values_beside_persons_only() -> None:
    assert found("group", "A+", "B", "O-", "AB", persons=True) is SpecialCategory.HEALTH
    assert found("group", "A+", "B", "O-", "AB") is None


@pytest.mark.parametrize(
    "field", ["first_name", "ชื่อ-นามสกุล", "เพศ", "age", "姓名", "dateOfBirth", "guest.gender", "ผู้ป่วย"]
)
def test_a_persons_own_traits_are_known(field: str) -> None:
    assert names_person(field)


@pytest.mark.parametrize(
    "field", ["name", "building_age", "minimum age", "guest_rooms", "ชื่อสถานที่", "employee count", "名称"]
)
def test_what_only_sounds_like_a_person_is_not(field: str) -> None:
    assert not names_person(field)


RELIGIONS = ["พุทธ", "อิสลาม", None]


def people(**more: list[str | None]) -> MemoryStage:
    return records_stage({"ชื่อ-นามสกุล": ["สมชาย ใจดี", "มาลี ศรีสุข", "วิภา แสงทอง"], "ศาสนา": RELIGIONS, **more})


def test_a_special_category_is_dropped_and_reported_with_its_category_and_without_a_digest(
    analyzer: PiiAnalyzer,
) -> None:
    out, count, verdict = run(analyzer, people())
    assert values(out, "f0001") == [None, None, None]
    (finding,) = [each for each in verdict.findings if each["entity_type"] == "SPECIAL_CATEGORY"]
    assert (finding["field"], finding["count"], finding["category"], finding["action"], finding["sample_digest"]) == (
        "ศาสนา", 2, "belief", "drop", "",
    )  # fmt: skip
    assert "Special categories (PDPA section 26): 2 belief." in verdict.reasons
    assert (verdict.band, count.rows_out) == (Band.WARN, 3)
    assert "พุทธ" not in out.everything()


def test_the_religion_of_a_temple_and_access_to_a_hall_pass_as_they_are(analyzer: PiiAnalyzer) -> None:
    columns = {"name": ["วัดฉลอง", "มัสยิดบางเทา"], "religion": ["Buddhist", "Muslim"], "wheelchair": ["yes", "limited"],
               "lat": ["7.84", "7.98"]}  # fmt: skip
    out, _, verdict = run(analyzer, records_stage(columns), agreement=False)
    assert verdict.band is Band.PASS
    assert values(out, "f0001") == ["Buddhist", "Muslim"]


def test_a_table_is_known_to_hold_persons_by_its_values_too(analyzer: PiiAnalyzer) -> None:
    columns = {"name": ["นายสมชาย ใจดี", "นางสาวมาลี ศรีสุข"], "religion": ["Buddhist", "Muslim"]}
    out, _, _ = run(analyzer, records_stage(columns))
    assert values(out, "f0001") == [None, None]
    holders = [*(f"Company {number}" for number in range(200)), *map(dashed, numbers(183990055551, 200))]
    out, _, _ = run(analyzer, records_stage({"holder": holders, "religion": ["Buddhist"] * 400}))
    assert values(out, "f0001") == [None] * 400


def test_policy_can_withhold_records_with_a_special_category(analyzer: PiiAnalyzer) -> None:
    policy = pii_policy(special_category_action="quarantine", quarantined_share_fail=1.0)
    out, count, _ = run(analyzer, people(), policy)
    assert (count.quarantined, count.rows_out) == (2, 1)
    assert {reject["code"] for reject in out.rejects} == {"pii-special-category"}
