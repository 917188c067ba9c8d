"""Titles before a name: they are no part of it, and stay where the name is replaced."""

from __future__ import annotations

import re

RANK = (
    r"(?:พล\.?[ตทอ]|พ\.?[ตทอ]|ร\.?[ตทอ]|น\.?[ตทอ]|จ\.?ส\.?[ตทอ]|จ\.?[ตทอ]|ส\.?[ตทอ]|ด\.?ต)\.(?:[ตทอจ]\.)?(?:ร\.น\.)?"
    r"|พล(?:ตำรวจ|เรือ|อากาศ)?(?:ตรี|โท|เอก)|พัน(?:ตำรวจ)?(?:ตรี|โท|เอก)|ร้อย(?:ตำรวจ)?(?:ตรี|โท|เอก)|นาวา(?:อากาศ)?(?:ตรี|โท|เอก)"
    r"|(?:จ่าสิบ|สิบ)(?:ตำรวจ)?(?:ตรี|โท|เอก)|จ่าสิบตำรวจ|ดาบตำรวจ|ว่าที่ร้อย(?:ตรี|โท|เอก)"
)
"""Ranks of the army, navy, air force and police, short and in full."""

_LEARNED = (
    r"(?:ผศ|รศ|ศ)\.|ดร\.|น\.?พ\.|พ\.?ญ\.|ท\.?พ\.|ทพญ\.|น\.?สพ\.|นายแพทย์|แพทย์หญิง|ทันตแพทย์(?:หญิง)?|นายสัตวแพทย์|ศาสตราจารย์"
)
_CIVIL = r"นางสาว|นาย|นาง|น\.ส\.|ด\.ช\.|ด\.ญ\.|เด็กชาย|เด็กหญิง|คุณหญิง|คุณ|ท่านผู้หญิง|หม่อมราชวงศ์|หม่อมหลวง|ม\.ร\.ว\.|ม\.ล\."
_LATIN = r"(?i:mr|mrs|ms|miss|dr|prof|khun)(?:\.\s*|\s+)"

TITLE = re.compile(rf"\s*(?:(?:{RANK}|{_LEARNED}|{_CIVIL}|{_LATIN})\s*)+")
"""Titles at the beginning of a text, with the space after them."""

TITLE_WORD = re.compile(
    rf"{RANK}|{_LEARNED}|{_CIVIL}|[ก-ฮ]{{1,2}}\.(?:[ก-ฮ]{{1,2}}\.)*|เสี่ย|เจ๊|บิ๊ก|หลวงพ่อ|พระ|อาจารย์|หมอ|พี่|น้อง|ลุง|ป้า|น้า|กำนัน"
)
"""A word that often stands before a name."""
