"""The pilot's sources as files: the texts as they lie here, the workbook and the chat bundle made from rows."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from tenant_pipeline.core.origin import Origin, UnitMode

PILOT_NAME = {"th": "ภูเก็ตไมซ์", "en": "Phuket MICE", "zh": "普吉会展"}
PILOT_AGREEMENT = "DPA-PHUKET-MICE-2026-01"
RIGHTS = "Written for this sample; CC0-1.0"
WORKBOOK = "Partner venues and events"
NOTES = "หมายเหตุ"

VENUES: tuple[tuple[str, ...], ...] = (
    ("ชื่อ", "name_en", "中文名", "ความจุ", "พื้นที่", "วันที่เปิด", "postcode", "lat", "lon", "โทรศัพท์", "ผู้ติดต่อ", NOTES),
    ("ศูนย์ประชุมอ่าวมะขาม", "Makham Bay Convention Centre", "马堪湾会议中心", "2,500", "5,600 ตร.ม.", "15/01/2558",
     "83000", "7.8312", "98.4071", "081-555-0142", "คุณดารา พรหมสุข", "ห้องประชุมย่อย 12 ห้อง"),
    ("หอประชุมเมืองเก่า", "Old Town Assembly Hall", "老城礼堂", "650", "1,850 ตร.ม.", "1 มีนาคม 2551",
     "83000", "7.8846", "98.3891", "+66 76 555 120", "Mr. Anan Srithong", "เลขบัตร 3-8399-00123-45-7 ของผู้ดูแล"),
    ("ลานแสดงสินค้ากะทู้", "Kathu Exhibition Ground", "卡图展览场", "5200", "12 ไร่", "12 ส.ค. 2562",
     "83120", "7.9123", "98.3335", "089-555-0177", "คุณสุดา เรืองชัย", ""),
    ("ศูนย์การประชุมไม้ขาว", "Mai Khao Conference Centre", "迈考会议中心", "1100", "2 ไร่ 1 งาน", "2555",
     "83140", "8.1401", "98.3078", "076-555-133", "", "รหัสไปรษณีย์ยังไม่ยืนยัน"),
    ("หอแสดงฉลอง", "Chalong Showcase Hall", "查龙展厅", "800", "2,100 ตร.ม.", "20/11/2563",
     "83130", "7.8427", "98.3392", "", "陈丽华女士", "联系 sales@chalong-hall.example"),
    ("ศูนย์นิทรรศการเชิงทะเล", "Choeng Thale Expo Centre", "涌塔勒展览中心", "3000", "4 ไร่", "5 ธ.ค. 2561",
     "83110", "7.9936", "98.2982", "076-555-190", "", ""),
    ("อาคารอเนกประสงค์ป่าตอง", "Patong Multi-purpose Building", "芭东综合大楼", "ยังไม่ทราบ", "3000 ตร.ม.", "ปลายปีหน้า",
     "83150", "7.8961", "98.2969", "", "", "อยู่ระหว่างปรับปรุง"),
    ("ห้องประชุมรัษฎา", "Ratsada Meeting Rooms", "拉萨达会议室", "260", "620 ตร.ม.", "14/02/2565",
     "83000", "7.8915", "98.4102", "", "", ""),
)  # fmt: skip

UPDATE: tuple[tuple[str, ...], ...] = (
    ("ชื่อ", "name_en", "中文名", "ความจุ", "พื้นที่", "วันที่เปิด", "postcode", "lat", "lon"),
    ("หอประชุมหาดสุรินทร์", "Surin Beach Hall", "素林海滩礼堂", "900", "2,400 ตร.ม.", "1 มิ.ย. 2569",
     "83110", "7.9767", "98.2790"),
)  # fmt: skip

EVENTS: tuple[tuple[str, ...], ...] = (
    ("event_th", "event_en", "event_zh", "starts", "ends", "venue", "organiser", "expected_delegates"),
    ("งานแสดงสินค้าทางทะเลอันดามัน", "Andaman Marine Fair", "安达曼海洋展", "12 มีนาคม 2569", "14 มีนาคม 2569",
     "ศูนย์ประชุมอ่าวมะขาม", "สมาคมการเดินเรืออันดามัน", "2300"),
    ("มหกรรมอาหารนานาชาติภูเก็ต", "Phuket International Food Expo", "普吉国际食品展", "23/04/2569", "26/04/2569",
     "ลานแสดงสินค้ากะทู้", "Island Food Network", "5000"),
    ("ประชุมวิชาการสุขภาพเมือง", "Urban Health Congress", "城市健康大会", "2 มิ.ย. 2569", "4 มิ.ย. 2569",
     "ศูนย์การประชุมไม้ขาว", "เครือข่ายเมืองสุขภาพดี", "900"),
    ("เทศกาลงานออกแบบเมืองเก่า", "Old Town Design Week", "老城设计周", "7/11/2569", "15/11/2569",
     "หอประชุมเมืองเก่า", "Old Town Makers", "600"),
)  # fmt: skip

CHAT_TABLE = """Here is what I know about the larger venues:

| name_en | name_th | capacity | postcode |
|---|---|---|---|
| Makham Bay Convention Centre | ศูนย์ประชุมอ่าวมะขาม | 3500 | 83000 |
| Kathu Exhibition Ground | ลานแสดงสินค้ากะทู้ | 5200 | 83120 |
| Choeng Thale Expo Centre | ศูนย์นิทรรศการเชิงทะเล | 2000 | 83110 |

Please check these figures before you rely on them."""

DELEGATES = 24


@dataclass(frozen=True)
class SampleSource:
    """One source of the pilot: where its files lie, and what the tenant says of it."""

    title: str
    origin: Origin
    unit_mode: UnitMode
    paths: tuple[Path, ...]
    rights: str
    observed_at: datetime


def write_sample(directory: Path) -> list[SampleSource]:
    """Write the pilot's files below `directory`, the same bytes each time, and say what each source is."""
    workbook = directory / "partner venues.xlsx"
    workbook.write_bytes(_workbook({"สถานที่จัดงาน": VENUES, "ปฏิทินงาน": EVENTS}))
    bundle = directory / "chat-export.zip"
    bundle.write_bytes(_zip({"conversations.json": json.dumps([_conversation()], ensure_ascii=False).encode()}))
    delegates = directory / "delegates.csv"
    delegates.write_text(_delegates(), encoding="utf-8")
    for name in ("licences.csv", "heritage_halls.md", "newsroom.xml"):
        (directory / name).write_bytes(files("tenant_pipeline.samples.phuket_mice").joinpath(name).read_bytes())
    return [
        _source(WORKBOOK, Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, workbook, (2026, 1, 20)),
        _source("Licence register", Origin.REGULATOR, UnitMode.SINGLE_FILE, directory / "licences.csv", (2026, 3, 1)),
        _source(
            "Old venue wiki", Origin.LEGACY_WIKI, UnitMode.SINGLE_FILE, directory / "heritage_halls.md", (2019, 6, 1)
        ),
        _source("Trade press", Origin.PRESS, UnitMode.SINGLE_FILE, directory / "newsroom.xml", (2026, 4, 12)),
        _source("Chat about venues", Origin.CHATGPT, UnitMode.AI_BUNDLE, bundle, (2026, 2, 2)),
        _source("Delegate list", Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, delegates, (2026, 3, 12)),
    ]


def write_update(directory: Path) -> list[SampleSource]:
    """Write what a partner hands in later, one more hall, and say what it is."""
    update = directory / "partner update.csv"
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(UPDATE)
    update.write_text(written.getvalue(), encoding="utf-8")
    return [_source("Partner update", Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, update, (2026, 6, 20))]


def _source(title: str, origin: Origin, mode: UnitMode, path: Path, day: tuple[int, int, int]) -> SampleSource:
    return SampleSource(title, origin, mode, (path,), RIGHTS, datetime(*day, tzinfo=UTC))


def _workbook(sheets: dict[str, Sequence[Sequence[str]]]) -> bytes:
    """An .xlsx of text cells. Written anew with fixed times: a workbook carries the moment it was saved."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    moment = datetime(2026, 1, 20)
    book.properties.created = book.properties.modified = moment
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    core = members["docProps/core.xml"].decode()
    begin, end = core.index("<dcterms:modified"), core.index("</dcterms:modified>")
    opening = core[begin : core.index(">", begin) + 1]
    members["docProps/core.xml"] = (core[:begin] + opening + "2026-01-20T00:00:00Z" + core[end:]).encode()
    return _zip(members)


def _zip(members: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 20, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _conversation() -> dict[str, Any]:
    """One conversation as the export holds it: a tree of messages, with a branch that was given up."""
    turns: list[tuple[str, str, str | None, str, str]] = [
        ("root", "", None, "", ""),
        ("ask", "user", "root", "ช่วยสรุปสถานที่จัดประชุมขนาดใหญ่ในภูเก็ต ติดต่อผมที่ somchai.r@phuket-mice.example", "text"),
        ("first", "assistant", "ask", "I am not sure which venues you mean.", "text"),
        ("answer", "assistant", "ask", CHAT_TABLE, "text"),
        ("thanks", "user", "answer", "ขอบคุณ โทรหาผมได้ที่ 0865550188", "text"),
    ]
    mapping: dict[str, Any] = {}
    for number, (identifier, role, parent, text, kind) in enumerate(turns):
        message = None
        if role:
            message = {
                "id": identifier,
                "author": {"role": role, "name": None, "metadata": {}},
                "create_time": 1769990400.0 + 60 * number,
                "content": {"content_type": kind, "parts": [text]},
                "metadata": {},
                "recipient": "all",
            }
        children = [each for each, _, above, _, _ in turns if above == identifier]
        mapping[identifier] = {"id": identifier, "message": message, "parent": parent, "children": children}
    return {
        "id": "7d0c8d5e-0000-4000-8000-5a3e0f1c2b01",
        "title": "สถานที่จัดประชุมในภูเก็ต",
        "create_time": 1769990400.0,
        "update_time": 1769990700.0,
        "mapping": mapping,
        "current_node": "thanks",
    }


def _delegates() -> str:
    """A list that should never have been handed in: a national id in nearly every row."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(["delegate", "national id", "phone"])
    for number in range(DELEGATES):
        identifier = _with_check_digit(f"38399{number * 7919 % 10_000_000:07d}")
        rows.writerow([f"Delegate {number + 1}", identifier if number % 6 else "", f"081-555-{number:04d}"])
    return written.getvalue()


def _with_check_digit(twelve: str) -> str:
    """A Thai national id with its check digit (modulus 11, weights 13 to 2)."""
    total = sum(int(digit) * weight for digit, weight in zip(twelve, range(13, 1, -1), strict=True))
    return twelve + str((11 - total % 11) % 10)
