"""Tables to screen, written by ourselves and the same each time."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

Table = dict[str, list[str]]

_THAI = (
    "ห้องประชุมขนาดใหญ่ริมทะเล เหมาะกับงานสัมมนา",
    "รองรับงานแสดงสินค้าและงานเลี้ยง มีที่จอดรถ",
    "อยู่ใกล้สนามบิน มีรถรับส่งทุกชั่วโมง",
)
_ENGLISH = (
    "A bright hall by the sea with daylight and a terrace",
    "Breakout rooms on the second floor, step-free access",
    "Twenty minutes from the airport, shuttle on request",
)
_CHINESE = ("海边的大型会议厅，适合举办研讨会", "可举办展览和宴会，有停车场", "距离机场二十分钟，每小时有班车")
_NAMES = ("สมชาย ใจดี", "มาลี ศรีสุข", "ประเสริฐ มั่นคง", "วิภา แสงทอง")


def bookings(rows: int) -> Table:
    """Bookings of 1,500 venues as a system exports them: what is said of a venue stands in each of its bookings."""
    of_venues = venues(1_500)
    chance = random.Random(22)
    whose = [chance.randrange(1_500) for _ in range(rows)]
    own = venues(rows)
    of_booking = {"venue_id", "created_at", "updated_ms", "price"}
    return {
        field: own[field] if field in of_booking else [values[number] for number in whose]
        for field, values in of_venues.items()
    }


def venues(rows: int) -> Table:
    """Venues, each with its own: ids, times, positions, prices, names, texts, telephones, e-mails."""
    chance = random.Random(20)
    pick = chance.choice

    def said(number: int) -> str:
        note = pick(
            ("", "", "", "", f" โทร 08{chance.randrange(10**8):08d}", f" call +66 8{chance.randrange(10**8):08d}")
        )
        return f"{pick(_THAI)} ห้อง {number % 37}{note}"

    return {
        "venue_id": [f"V{number:07d}" for number in range(rows)],
        "created_at": [
            f"20{16 + number % 8}-{1 + number % 12:02d}-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:00Z"
            for number in range(rows)
        ],
        "updated_ms": [str(1_500_000_000_000 + 86_399_317 * (number % 3650) + number) for number in range(rows)],
        "lat": [f"{7.5 + chance.random():.6f}" for _ in range(rows)],
        "lon": [f"{98.2 + chance.random():.6f}" for _ in range(rows)],
        "price": [f"{chance.randrange(500, 90_000):,}.{pick(('00', '50'))}" for _ in range(rows)],
        "name_en": [f"{pick(('Andaman', 'Siam', 'Pearl', 'Coral'))} Hall {number}" for number in range(rows)],
        "คำอธิบาย": [said(number) for number in range(rows)],
        "description": [f"{pick(_ENGLISH)}, {chance.randrange(20, 900)} seats" for _ in range(rows)],
        "描述": [f"{pick(_CHINESE)}，可容纳{chance.randrange(20, 900)}人" for _ in range(rows)],
        "phone": [
            f"0{pick('689')}{chance.randrange(10**8):08d}"
            if number % 3
            else f"07{pick('4567')}{chance.randrange(10**6):06d}"
            for number in range(rows)
        ],
        "email": [f"sales{number % 4000}@venue{number % 700}.example" for number in range(rows)],
    }


def nothing_skipped(rows: int) -> Table:
    """Free text in which every cell differs and holds personal data, so that no test beforehand may leave one out."""
    chance = random.Random(21)

    def number() -> str:
        return f"08{chance.randrange(10):d}-{chance.randrange(1000):03d}-{chance.randrange(10_000):04d}"

    def address() -> str:
        return f"guest{chance.randrange(10**6)}@mail{chance.randrange(500)}.example"

    pick = chance.choice
    every = range(rows)
    return {
        "บันทึก": [f"ลูกค้าคุณ{pick(_NAMES)} โทร {number()} แจ้งว่า{pick(_THAI)}" for _ in every],
        "note": [f"{pick(_ENGLISH)}. Write to {address()} or call {number()} before noon" for _ in every],
        "备注": [f"{pick(_CHINESE)}，请联系{address()}，电话 138{chance.randrange(10**8):08d}" for _ in every],
        "remark": [f"Mr. Somchai Jaidee asked for {address()}; tel +66 8{chance.randrange(10**8):08d}" for _ in every],
    }


TABLES: Mapping[str, tuple[Callable[[int], Table], int]] = {
    "bookings": (bookings, 20_000),
    "venues": (venues, 20_000),
    "nothing_skipped": (nothing_skipped, 5_000),
}
"""The tables and how many rows of each are screened."""
