"""Templates that tell of a thing: travel listings in English, Thai and Chinese, and infoboxes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mwparserfromhell.nodes import ExternalLink, Template, Wikilink
from mwparserfromhell.wikicode import Wikicode

from tenant_pipeline.intake.readers.wikitext_text import plain, template_name

_KINDS = {
    "listing": "listing รายการ 列表 条目",
    "see": "see ดู ที่เที่ยว 景点 景點 观光 觀光",
    "do": "do ทำ กิจกรรม 活动 活動",
    "buy": "buy ซื้อ 购物 購物",
    "eat": "eat กิน 饮食 飲食 餐饮 餐飲",
    "drink": "drink ดื่ม 饮酒 飲酒 酒吧",
    "sleep": "sleep นอน ที่พัก 住宿",
    "go": "go ไป การเดินทาง 交通",
    "vicinity": "vicinity บริเวณใกล้เคียง 周边 周邊",
    "event": "event งาน เทศกาล 节庆 節慶",
}
_FIELDS = {
    "name": "name ชื่อ 名称 名稱",
    "alt": "alt ชื่ออื่น 别名 別名",
    "address": "address ที่อยู่ 地址",
    "directions": "directions เส้นทาง วิธีเดินทาง 方向 方位 交通",
    "telephone": "phone tel telephone โทร โทรศัพท์ 电话 電話",
    "tollfree": "tollfree โทรฟรี 免费电话 免費電話",
    "email": "email อีเมล 电邮 電郵 电子邮件 電子郵件 邮箱",
    "fax": "fax โทรสาร แฟกซ์ 传真 傳真",
    "url": "url website เว็บไซต์ เว็บ 网址 網址 网站 網站",
    "hours": "hours เวลา เวลาทำการ เวลาเปิด 时间 時間 营业时间 營業時間 开放时间 開放時間",
    "price": "price ราคา 价格 價格 价钱 價錢",
    "latitude": "lat latitude ละติจูด 纬度 緯度",
    "longitude": "long lon lng longitude ลองจิจูด 经度 經度",
    "wikidata": "wikidata วิกิสนเทศ 维基数据 維基數據",
    "image": "image ภาพ รูป รูปภาพ 图片 圖片",
    "description": "content description เนื้อหา รายละเอียด คำอธิบาย 描述 内容 內容 简介 簡介",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_FIELD_OF = {word: field for field, words in _FIELDS.items() for word in words.split()}
_TELLING = ("address", "latitude", "telephone", "url", "description")
_INFOBOX = re.compile(r"(?:infobox|กล่องข้อมูล)\b\s*|(.*?)\s*(?:infobox|信息框|資訊框|资讯框)$", re.IGNORECASE)
_COORDINATES = re.compile(r"(?:coord|coor.*|geo|พิกัด.*|坐标|座標)", re.IGNORECASE)
_FEWEST_FACTS = 2
_SIGNS = {"N": 1, "S": -1, "E": 1, "W": -1}


@dataclass(frozen=True)
class Told:
    """What a template tells: the table it belongs in, and its fields."""

    table: str
    values: dict[str, str | None]


def told_by(template: Template, page: str | None) -> Told | None:
    """The listing or the infobox that a template is, None for any other template."""
    name = template_name(template)
    if _INFOBOX.match(name):
        return _infobox(template, name, page)
    kind = _KIND_OF.get(name.casefold())
    fields = _fields(template, {"type": "kind"} if kind else {})
    if not fields.get("name"):
        return None
    if kind is None and not any(fields.get(field) for field in _TELLING):
        return None
    kind = kind or name.casefold()
    if kind == "listing" and fields.get("kind"):
        kind = str(fields["kind"]).casefold()
        kind = _KIND_OF.get(kind, kind)
    return Told(kind, {**fields, "kind": kind})


def _infobox(template: Template, name: str, page: str | None) -> Told | None:
    fields = {field: value for field, value in _fields(template, {}).items() if not field.isdigit()}
    if sum(value is not None for value in fields.values()) < _FEWEST_FACTS:
        return None
    own = fields.pop("name", None)
    if own and page and own != page:
        fields["alt"] = fields.get("alt") or own
    return Told(name, {"name": page or own, **fields})


def _fields(template: Template, more: dict[str, str]) -> dict[str, str | None]:
    fields: dict[str, str | None] = {}
    place: tuple[str, str] | None = None
    for parameter in template.params:
        said = plain(parameter.name)
        field = _FIELD_OF.get(said.casefold(), more.get(said.casefold(), said))
        if not field:
            continue
        value = _value(field, parameter.value)
        if value is not None or field not in fields:
            fields[field] = value
        place = place or _place(parameter.value)
    if place and not fields.get("latitude"):
        fields["latitude"], fields["longitude"] = place
    return fields


def _value(field: str, code: Wikicode) -> str | None:
    if field == "url":
        link = next(code.ifilter(recursive=False, forcetype=ExternalLink), None)
        if link is not None:
            return str(link.url).strip() or None
    if field == "image":
        file = next(code.ifilter(recursive=False, forcetype=Wikilink), None)
        if file is not None:
            return str(file.title).partition(":")[2].strip() or str(file.title).strip() or None
    return plain(code) or None


def _place(code: Wikicode) -> tuple[str, str] | None:
    """Latitude and longitude in degrees from a template such as {{coord|7|53|N|98|23|E}}."""
    for template in code.ifilter_templates(recursive=False):
        if not _COORDINATES.fullmatch(template_name(template)):
            continue
        parts = [plain(parameter.value) for parameter in template.params if not parameter.showkey]
        numbers: list[float] = []
        degrees: list[float] = []
        for part in parts:
            if part.upper() in _SIGNS and numbers:
                whole = sum(number / 60**power for power, number in enumerate(numbers[:3]))
                degrees.append(_SIGNS[part.upper()] * whole)
                numbers = []
            elif re.fullmatch(r"[-+]?\d{1,3}(?:\.\d{1,12})?", part):
                numbers.append(float(part))
            else:
                break
        found = degrees if len(degrees) == 2 else numbers[:2] if not degrees else []
        if len(found) == 2 and abs(found[0]) <= 90 and abs(found[1]) <= 180:
            return _decimal(found[0]), _decimal(found[1])
    return None


def _decimal(degrees: float) -> str:
    return f"{degrees:.6f}".rstrip("0").rstrip(".")
