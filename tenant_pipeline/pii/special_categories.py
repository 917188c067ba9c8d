"""Fields of special categories: what section 26 of Thailand's Personal Data Protection Act B.E. 2562 (2019) names.

Race and ethnic origin, political opinions, cult, religious or philosophical beliefs, sexual behaviour, criminal
records, health data, disability, trade union information, genetic data, biometric data. A few field names say so of
themselves; most say it only of persons (a temple has a religion, a hall has access for the disabled), so they count
only in a table that holds persons, and some names only where the values speak for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenant_pipeline.pii.field_phrases import FieldPhrases, field_phrases

SPECIAL_CATEGORY = "SPECIAL_CATEGORY"
"""The entity type under which such fields are found."""


class SpecialCategory(StrEnum):
    """The categories of section 26."""

    ETHNIC_ORIGIN = "ethnic-origin"
    POLITICAL_OPINION = "political-opinion"
    BELIEF = "belief"
    SEXUAL_BEHAVIOUR = "sexual-behaviour"
    CRIMINAL_RECORD = "criminal-record"
    HEALTH = "health"
    DISABILITY = "disability"
    TRADE_UNION = "trade-union"
    GENETIC = "genetic"
    BIOMETRIC = "biometric"


ENOUGH = 0.5
"""The share of a field's distinct values that must be of a vocabulary for the values to speak."""


@dataclass(frozen=True)
class _Vague:
    """Names that may mean a category: of persons only, or only where values prove it; never where they refute it."""

    category: SpecialCategory
    names: FieldPhrases
    proof: re.Pattern[str] | None = None
    proof_needed: bool = False
    refuted_by: re.Pattern[str] | None = None


def _names(text: str) -> FieldPhrases:
    return field_phrases(phrase.strip() for phrase in text.split(",") if phrase.strip())


_PLAIN: tuple[tuple[SpecialCategory, FieldPhrases], ...] = (
    (
        SpecialCategory.ETHNIC_ORIGIN,
        _names(
            "ethnic origin, racial origin, racial group, race ethnicity, ethnicity race, race or ethnicity,"
            " person race, เชื้อชาติ*, 种族, 种族*, 族裔, 種族, 族裔*"
        ),
    ),
    (
        SpecialCategory.POLITICAL_OPINION,
        _names(
            "political opinion, political opinions, political party, party affiliation, political affiliation,"
            " political view, political views, party membership, voting intention, voted for,"
            " ความเห็นทางการเมือง*, ความคิดเห็นทางการเมือง*, *พรรคการเมืองที่สังกัด, สังกัดพรรค*, สมาชิกพรรค*,"
            " 政治面貌, 政治观点, 政治倾向, 政治立场, 党派, 政治觀點, 黨派"
        ),
    ),
    (
        SpecialCategory.BELIEF,
        _names(
            "religious belief, religious beliefs, religious affiliation, philosophical belief, philosophical beliefs,"
            " religious faith, *นับถือศาสนา*, *ศาสนาที่นับถือ*, *ความเชื่อทางศาสนา*, ลัทธิ, 宗教信仰, 信仰"
        ),
    ),
    (
        SpecialCategory.SEXUAL_BEHAVIOUR,
        _names(
            "sexual orientation, sexual behaviour, sexual behavior, sexual preference, sexuality, sex life,"
            " *พฤติกรรมทางเพศ*, *รสนิยมทางเพศ*, *เพศวิถี*, 性取向, 性倾向, 性行为, 性生活, 性傾向"
        ),
    ),
    (
        SpecialCategory.CRIMINAL_RECORD,
        _names(
            "criminal record, criminal records, criminal history, criminal conviction, criminal convictions,"
            " prior convictions, arrest record, arrest history, *ประวัติอาชญากรรม*, *ประวัติอาชญากร*, *ประวัติทางคดี*,"
            " *ต้องโทษ*, 犯罪记录, 前科, 犯罪史, 无犯罪记录*, 犯罪記錄"
        ),
    ),
    (
        SpecialCategory.HEALTH,
        _names(
            "medical history, medical record, medical records, medical condition, medical conditions, medical notes,"
            " health status, health condition, health conditions, health record, health records, health issues,"
            " health problems, blood type, blood group, hiv, hiv status, chronic disease, chronic diseases,"
            " chronic illness, underlying disease, pregnancy status, mental health, drug allergy, drug allergies,"
            " vaccination status, covid status, covid result, bmi, *โรคประจำตัว*, *ประวัติสุขภาพ*, *ประวัติการรักษา*,"
            " *ประวัติทางการแพทย์*, *ภาวะสุขภาพ*, *หมู่เลือด*, *หมู่โลหิต*, *กรุ๊ปเลือด*, *แพ้ยา*,"
            " *ยาที่แพ้*, *ตั้งครรภ์*, *ผลตรวจโควิด*, 病史, 既往病史, 健康状况, 健康情况, 血型, 慢性病, 过敏史, 药物过敏*,"
            " 孕期, 健康狀況, 過敏史"
        ),
    ),
    (
        SpecialCategory.DISABILITY,
        _names(
            "disability type, disability status, type of disability, disability card, disability id, disabled person,"
            " disability percentage, *ประเภทความพิการ*, *ลักษณะความพิการ*, *บัตรคนพิการ*, *บัตรประจำตัวคนพิการ*,"
            " 残疾类型, 残疾类别, 残疾等级, 残疾证*, 残障类型, 殘疾類別, 殘障類別"
        ),
    ),
    (
        SpecialCategory.TRADE_UNION,
        _names(
            "trade union, trade unions, labour union, labor union, union member, union membership, union status,"
            " *สหภาพแรงงาน*, *สมาชิกสหภาพ*, 工会会员, 工会, 工會, 工會會員"
        ),
    ),
    (
        SpecialCategory.GENETIC,
        _names(
            "genetic data, genetic test, genetic marker, genotype, dna profile, dna sample, dna test, genome,"
            " *พันธุกรรม*, *ดีเอ็นเอ*, 基因, 基因*, 遗传*"
        ),
    ),
    (
        SpecialCategory.BIOMETRIC,
        _names(
            "biometric, biometrics, biometric data, biometric id, biometric template, facial recognition,"
            " face template, face recognition, face embedding, iris scan, iris template, retina scan, voiceprint,"
            " voice print, palm print, fingerprint template, *ลายนิ้วมือ*, *ม่านตา*, *จดจำใบหน้า*, *จำลองใบหน้า*,"
            " *ข้อมูลชีวภาพ*, *ชีวมิติ*, 指纹*, 人脸*, 虹膜*, 声纹*, 掌纹*, 生物识别*, 指紋*, 人臉*"
        ),
    ),
)


def _values(text: str) -> re.Pattern[str]:
    words = "|".join(re.escape(word.strip()) for word in text.split(",") if word.strip())
    return re.compile(rf"(?:{words})(?: (?:thai|chinese|american|descent|origin))?", re.IGNORECASE)


_ETHNICITIES = _values(
    "asian, asian pacific islander, pacific islander, white, caucasian, black, african, african american, hispanic,"
    " latino, latina, latinx, native american, american indian, indigenous, arab, mixed, mixed race, multiracial,"
    " biracial, thai, chinese, han, han chinese, malay, indian, karen, hmong, akha, lahu, lisu, mon, moken, moklen,"
    " urak lawoi, tai, lao, khmer, burmese, shan, ไทย, จีน, มลายู, มาเลย์, กะเหรี่ยง, ม้ง, อาข่า, ลาหู่, ลีซู, มอญ,"
    " มอแกน, มอแกลน, อูรักลาโว้ย, ลาว, เขมร, พม่า, ไทใหญ่, ไทยเชื้อสายจีน, 汉, 汉族, 回族, 壮族, 满族, 苗族, 维吾尔族,"
    " 藏族, 蒙古族, 彝族, 土家族, 傣族, 朝鲜族, 漢族"
)
_ORIENTATIONS = _values(
    "heterosexual, homosexual, straight, gay, lesbian, bisexual, asexual, pansexual, queer, รักต่างเพศ, รักร่วมเพศ,"
    " รักเพศเดียวกัน, เกย์, เลสเบี้ยน, ไบเซ็กชวล, 异性恋, 同性恋, 双性恋, 無性戀, 无性恋, 異性戀, 同性戀, 雙性戀"
)
_ILLNESSES = re.compile(
    r".*(?:diabet|hypertens|asthma|cancer|hiv|aids|epilep|hepatit|tubercul|depress|anxiety|arthrit|stroke|dementia"
    r"|pregnan|allerg|เบาหวาน|ความดัน|หอบหืด|มะเร็ง|โรคหัวใจ|ไทรอยด์|ลมชัก|วัณโรค|ซึมเศร้า|ภูมิแพ้|ตั้งครรภ์|糖尿病|高血压|哮喘|癌|心脏病"
    r"|肝炎|结核|抑郁|过敏|怀孕).*",
    re.IGNORECASE | re.DOTALL,
)
_BLOOD_GROUPS = re.compile(r"(?:AB|A|B|O)(?: ?(?:\+|-|−|pos(?:itive)?|neg(?:ative)?|rh[+-]))?", re.IGNORECASE)
_PARTIES = re.compile(
    r"(?:พรรค.+|.+党|.+黨|(?:the )?(?:democrat\w*|republican|labou?r|conservative|liberal|green|communist|socialist)"
    r"(?: party)?|.+ party|independent)",
    re.IGNORECASE,
)
_CONTESTS = re.compile(
    r".*(?:\d ?k(?:m|ilomet)?|marathon|\brun\b|race|trail|triathlon|grand prix|cup|วิ่ง|มาราธอน|跑|马拉松).*",
    re.IGNORECASE | re.DOTALL,
)
_FILE_DIGESTS = re.compile(r"(?:[0-9a-f]{2}:){7,}[0-9a-f]{2}|sha\w*[:-].+|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.I)

_VAGUE: tuple[_Vague, ...] = (
    _Vague(SpecialCategory.ETHNIC_ORIGIN, _names("race, races"), _ETHNICITIES, refuted_by=_CONTESTS),
    _Vague(
        SpecialCategory.ETHNIC_ORIGIN,
        _names("ethnicity, ethnic group, ethnic, tribe, *ชาติพันธุ์*, ชนเผ่า*, เผ่า, 民族"),
        _ETHNICITIES,
    ),
    _Vague(SpecialCategory.POLITICAL_OPINION, _names("party, พรรค, 政党"), _PARTIES, proof_needed=True),
    _Vague(SpecialCategory.POLITICAL_OPINION, _names("politics, *การเมือง, 政治")),
    _Vague(
        SpecialCategory.BELIEF,
        _names(
            "religion, religions, religious, faith, creed, denomination, belief, beliefs, ศาสนา*, นิกาย*, 宗教, 教派"
        ),
    ),
    _Vague(SpecialCategory.SEXUAL_BEHAVIOUR, _names("orientation, lgbt, lgbtq"), _ORIENTATIONS, proof_needed=True),
    _Vague(
        SpecialCategory.CRIMINAL_RECORD,
        _names(
            "conviction, convictions, offence, offences, offense, offenses, felony, criminal, crime, *อาชญากรรม*,"
            " คดีอาญา*, ความผิด*, 犯罪*, 罪名"
        ),
    ),
    _Vague(
        SpecialCategory.HEALTH,
        _names(
            "health, illness, illnesses, disease, diseases, diagnosis, diagnoses, medication, medications, allergy,"
            " allergies, symptom, symptoms, disorder, injury, pregnant, vaccinated, vaccination, smoker, dietary needs,"
            " สุขภาพ*, โรค, โรค*, อาการ*, การวินิจฉัย*, ภูมิแพ้*, แพ้อาหาร*, อาหารที่แพ้*, วัคซีน*, 健康, 疾病*, 诊断*, 过敏*,"
            " 症状*, 用药*, 疫苗*, 診斷*, 過敏*"
        ),
    ),
    _Vague(SpecialCategory.HEALTH, _names("condition, conditions, remark, ภาวะ*, 状况"), _ILLNESSES, proof_needed=True),
    _Vague(SpecialCategory.HEALTH, _names("blood, group, grp, เลือด, กรุ๊ป, 血"), _BLOOD_GROUPS, proof_needed=True),
    _Vague(
        SpecialCategory.DISABILITY,
        _names(
            "disability, disabilities, disabled, handicap, handicapped, impairment, special needs, wheelchair,"
            " wheelchair user, ความพิการ*, พิการ*, ผู้พิการ*, คนพิการ*, ทุพพลภาพ*, วีลแชร์, 残疾*, 残障*, 轮椅, 殘疾*, 殘障*"
        ),
    ),
    _Vague(SpecialCategory.TRADE_UNION, _names("union, unionised, unionized, สหภาพ*")),
    _Vague(SpecialCategory.GENETIC, _names("dna, genetic, genetics, gene, genes")),
    _Vague(
        SpecialCategory.BIOMETRIC,
        _names("fingerprint, fingerprints, face id, faceid, retina, iris, faceprint"),
        refuted_by=_FILE_DIGESTS,
    ),
)

_OF_A_PLACE = _names(
    "access, accessible, accessibility, toilet, toilets, restroom, restrooms, parking, ramp, ramps, lift, lifts, room,"
    " rooms, seat, seats, seating, facility, facilities, entrance, friendly, rental, equipment, service, services,"
    " center, centre, zone, insurance, club, clinic, hospital, spa, menu, food, certificate, ssl, sha256, sha1,"
    " *ทางลาด*, *ห้องน้ำ*, *ที่จอด*, *ลิฟต์*, *สิ่งอำนวยความสะดวก*, *สถาน*, *ศูนย์*, *เขตสุขภาพ*, *ห้อง*, *บริการ*, *สำหรับ*,"
    " *设施*, *卫生间*, *厕所*, *停车*, *通道*, *中心*, *电梯*, *场所*, *服务*, *設施*"
)
_STATISTICAL = _names(
    "count, counts, total, number, numbers, rate, rates, ratio, share, percent, percentage, pct, population, index,"
    " statistics, average, avg, mean, median, sum, num, *จำนวน*, *ร้อยละ*, *อัตรา*, *สัดส่วน*, *ประชากร*, *รวม, *人数*,"
    " *比例*, *比率*, *总数*, *统计*, *人口*"
)

_PERSONS = _names(
    "person name, person id, first name, firstname, last name, lastname, surname, given name, family name, middle name,"
    " full name, fullname, maiden name, contact person, contact name, owner name, manager name, guest name, guest id,"
    " patient, patient name, patient id, employee, employee name, employee id, staff name, staff id, student,"
    " student name, student id, customer name, passenger, passenger name, attendee, attendee name, participant,"
    " participant name, member name, member id, applicant, resident name, delegate, delegate name, speaker name,"
    " runner name, gender, sex, age, dob, date of birth, birth date, birthdate, birthday, birth year, year of birth,"
    " place of birth, marital status, job title, national id, citizen id, passport, passport no, passport number, ssn,"
    " nationality,"
    " ชื่อสกุล*, นามสกุล*, สกุล, ชื่อจริง*, ชื่อนามสกุล*, ชื่อตัว*, คำนำหน้า*, ผู้ติดต่อ*, ผู้ป่วย*, คนไข้*, พนักงาน*, ชื่อพนักงาน*,"
    " นักเรียน*, นักศึกษา*, ลูกจ้าง*, ชื่อสมาชิก*, ผู้เข้าร่วม*, ผู้สมัคร*, ผู้เข้าพัก*, ผู้โดยสาร*, ชื่อลูกค้า*, ชื่อผู้*, เพศ, อายุ,"
    " วันเกิด, วันเดือนปีเกิด, ปีเกิด, สถานภาพสมรส*, อาชีพ*, สัญชาติ*, เลขบัตรประชาชน*, เลขประจำตัวประชาชน*, บัตรประชาชน*,"
    " หนังสือเดินทาง*, *姓名, 姓, 患者*, 病人*, 员工*, 学生*, 旅客*, 乘客*, 参会者*, 联系人*,"
    " 性别, 年龄, 出生*, 生日, 婚姻*,"
    " 职业, 国籍, 身份证*, 护照*, 員工*, 學生*, 性別, 年齡"
)
_OF_NO_PERSON = _names(
    "building, min, minimum, max, maximum, limit, limits, restriction, restrictions, rating, allowed, required,"
    " อาคาร*, ขั้นต่ำ, จำกัด*, 建筑*, 限制*, 最低*"
)
"""Words beside a person's trait that make it a rule or a thing's: a minimum age, a building's age."""


def names_person(field: str) -> bool:
    """Whether a field of that name belongs to a person: its name, sex, age, birth, document or place at work."""
    return _PERSONS.found_in(field) and not any(
        other.found_in(field) for other in (_OF_A_PLACE, _OF_NO_PERSON, _STATISTICAL)
    )


def category_of(
    field: str, values: Callable[[], Iterable[str]], holds_persons: Callable[[], bool]
) -> SpecialCategory | None:
    """The special category of a field, from its name, its distinct `values` and whether its table holds persons.

    `values` and `holds_persons` are asked only where the name leaves it open.
    """
    if _STATISTICAL.found_in(field):
        return None
    for category, phrases in _PLAIN:
        if phrases.found_in(field) and not _OF_A_PLACE.found_in(field):
            return category
    for vague in _VAGUE:
        if vague.names.found_in(field) and not _OF_A_PLACE.found_in(field) and _means(vague, values, holds_persons):
            return vague.category
    return None


def _means(vague: _Vague, values: Callable[[], Iterable[str]], holds_persons: Callable[[], bool]) -> bool:
    if vague.proof is None and vague.refuted_by is None:
        return holds_persons()
    known = [unicodedata.normalize("NFKC", value).strip() for value in values()]
    known = [value for value in known if value]
    if vague.refuted_by is not None and _speak(known, vague.refuted_by):
        return False
    if vague.proof is not None and _speak(known, vague.proof):
        return vague.proof is not _BLOOD_GROUPS or (holds_persons() and _are_blood_groups(known))
    return not vague.proof_needed and holds_persons()


def _speak(values: Sequence[str], vocabulary: re.Pattern[str]) -> bool:
    return bool(values) and sum(bool(vocabulary.fullmatch(value)) for value in values) >= ENOUGH * len(values)


def _are_blood_groups(values: Sequence[str]) -> bool:
    """A and B alone name any two groups; AB, O or a sign after a letter name blood."""
    letters = {value.upper() for value in values if _BLOOD_GROUPS.fullmatch(value)}
    return len(letters) > 1 and any(value not in ("A", "B") for value in letters)
