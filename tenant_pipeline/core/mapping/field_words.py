"""The words that field names are made of, in Thai, English and Chinese, and how a name is taken apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Set
from itertools import groupby

from tenant_pipeline.core.mapping.mapping import field_key

LANGUAGE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("th", "tha", "thai", "ภาษาไทย", "ไทย", "泰文", "泰语"), "th"),
    **dict.fromkeys(("en", "eng", "english", "ภาษาอังกฤษ", "อังกฤษ", "英文", "英语"), "en"),
    **dict.fromkeys(("zh", "cn", "chi", "chinese", "ภาษาจีน", "จีน", "中文", "汉语"), "zh"),
}
"""Words that say in which language the values are written."""

TYPE_WORDS: Mapping[str, str] = {
    word: type_
    for type_, words in {
        "EventVenue": "venue hall ห้องประชุม ห้องจัดงาน สถานที่จัดงาน 场馆 会场 展馆 会议厅",
        "LodgingBusiness": "hotel resort lodging โรงแรม ที่พัก รีสอร์ท 酒店 宾馆 住宿",
        "Organization": "organisation organization company agency supplier บริษัท องค์กร หน่วยงาน 公司 机构 企业",
        "Event": "event conference exhibition ชื่องาน กิจกรรม 活动 会议 展会",
    }.items()
    for word in words.split()
}
"""Words beside a name that say what is named, and the type it is."""

_BESIDE = """
place site location building main full official contact office public general no number num code detail
details info line and text value of the max maximum total licensed registered primary 1 person persons people
pax sqm m2 degree degrees seating usable gross net สถานที่ อาคาร หลัก เต็ม ทางการ ติดต่อ สำนักงาน หมายเลข
เบอร์ เลขที่ รหัส ข้อมูล ของ ที่ ร้าน งาน สูงสุด รวม ทั้งหมด คน ที่นั่ง ตรม ตารางเมตร องศา ใช้สอย ที่ตั้ง และ 地点 场所
主要 详细 正式 官方 联系 办公 办公室 号码 号 编号 信息 的 最大 总 单位 人 平方米 度
hospital restaurant museum temple market school university theatre theater stadium park beach shop store
โรงพยาบาล ร้านอาหาร พิพิธภัณฑ์ วัด ตลาด โรงเรียน มหาวิทยาลัย โรงละคร สนาม สวน หาด
医院 餐厅 博物馆 寺庙 市场 学校 大学 剧院 体育场 公园 海滩 商店
"""
QUALIFIERS = frozenset(TYPE_WORDS) | frozenset(_BESIDE.split())
"""Words that may stand beside a known one without making it mean something else."""

_APART = """
birth born created create updated update modified deleted owner manager staff file user login bank account
parent previous old former fax parking price payment invoice image photo logo map video visa card emergency
expiry expires เกิด สร้าง แก้ไข ปรับปรุง บันทึก เจ้าของ ผู้จัดการ พนักงาน ไฟล์ ผู้ใช้ ธนาคาร บัญชี เดิม เก่า
โทรสาร แฟกซ์ ที่จอดรถ จอดรถ ราคา รูป ภาพ โลโก้ แผนที่ หมดอายุ 出生 创建 更新 修改 业主 经理 员工 文件 用户
银行 账户 账号 以前 原 传真 停车 价格 图片 照片 地图 到期
"""
ESTRANGING = frozenset(_APART.split())
"""Words that make a known one mean something else: a date of birth is no opening date."""

NAMING_WORDS = frozenset({"name", "names", "title", "ชื่อ", "นาม", "名称", "名字", "名"})
"""Words for a name: whose it is, the words beside it say."""

ADDRESS_WORDS = frozenset({"address", "addresses", "ที่อยู่", "地址"})
"""Words for an address: beside a word for an e-mail or a web page they mean no place."""

DATE_WORDS = frozenset({"date", "day", "on", "วันที่", "วัน", "日期", "日"})
"""Words that say no more than that a date is meant, beside one that says which."""

POSITION_FIELDS = (
    "coordinates", "coordinate", "coords", "gps", "latlng", "latlon", "latlong", "lat lon", "position", "geo",
    "พิกัด", "พิกัดภูมิศาสตร์", "坐标", "经纬度", "地理坐标",
)  # fmt: skip
"""Names of a field that holds latitude and longitude together."""

_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
"""A word inside Latin letters: `venueNameTH` has three."""


def words_of(name: str) -> tuple[str, ...]:
    """The words of a field name, folded: split at signs, at capitals inside a word and where the script changes.

    Thai and Chinese words that are not set apart stay together.
    """
    found: list[str] = []
    for script, run in groupby(unicodedata.normalize("NFKC", name), key=_script):
        text = "".join(run)
        if script == "latin" and text.isascii():
            found += _WORD.findall(text)
        elif script:
            found.append(text)
    return tuple(key for word in found if (key := field_key(word)))


def made_of(rest: str, words: Set[str]) -> bool:
    """Whether `rest`, a folded piece of a name, is nothing but some of these words in a row."""
    reached = {0}
    for start in range(len(rest)):
        if start in reached:
            reached |= {start + len(word) for word in words if word and rest.startswith(word, start)}
    return len(rest) in reached


def _script(character: str) -> str:
    """`thai`, `chinese` or `latin` (with digits and every other letter); "" for what parts words."""
    if "\u0e00" <= character <= "\u0e7f":
        return "thai"
    if "\u3400" <= character <= "\u9fff":
        return "chinese"
    return "latin" if unicodedata.category(character)[0] in "LNM" else ""
