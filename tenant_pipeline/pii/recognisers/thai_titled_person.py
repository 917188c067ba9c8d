"""Thai personal names after a title: นายสมชาย ใจดี, น.ส. มาลี ศรีสุข, พล.ต.อ. ประเสริฐ มั่นคง.

นาย, นาง and คุณ begin many other words, so they ask for a given and a family name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import Candidate

_RANK = r"(?:พล\.[ตทอ]|พ\.[ตทอ]|ร\.[ตทอ]|น\.[ตทอ]|จ\.ส\.[ตทอ]|จ\.[ตทอ]|ส\.[ตทอ]|ด\.ต)\.(?:[ตทอจ]\.)?"
_SURE_TITLE = (
    r"นางสาว|หม่อมราชวงศ์|หม่อมหลวง|เด็กชาย|เด็กหญิง|นายแพทย์|แพทย์หญิง|ว่าที่ร้อย(?:ตรี|โท|เอก)|(?<![ก-๎])ดร\."
    rf"|(?<!\.)(?:น\.ส\.|ด\.[ชญ]\.|ม\.ร\.ว\.|ม\.ล\.|{_RANK})"
    r"|(?<![ก-๎.])(?:(?:ผศ|รศ|ศ)\.(?:\s?ดร\.)?|นพ\.|พญ\.|ทพ\.)"
)
_BEGINS = (
    r"(?:(?<![ก-๎])|(?<=โดย)|(?<=ของ)|(?<=กับ)|(?<=และ)|(?<=ชื่อ)|(?<=ติดต่อ)|(?<=แจ้ง)|(?<=ถึง)|(?<=ว่า)|(?<=คือ)|(?<=ให้)|(?<=ด้าน)"
    r"|(?<=พบ)|(?<=นำ)|(?<=แก่)|(?<=แด่)|(?<=จาก)|(?<=แทน))"
)
_WEAK_TITLE = rf"{_BEGINS}(?:(?<![0-9])(?<![0-9] )นาย|นาง(?!สาว)|คุณ)"
_NO_NAME_AFTER = (
    r"ก(?:รัฐมนตรี|เทศมนตรี|เมือง|อบ|องค์|สมาคม|สภา|สโมสร|เหล่า|ฯ|[^ก-๙]|$)|อำเภอ|ทะเบียน|จ้าง|หน้า|ทหาร|ตำรวจ|ทุน|แบบ|ท่า|สถานี|ประกัน|ช่าง|ด่าน|ตรวจ|เรือ|แพทย์"
    r"|วัย|อายุ|จาก|ชาว|คน(?:[^ก-๙]|$)|ดังกล่าว|นี้|นั้น|ทั้ง|และ|หรือ|ราย|พบ|ถูก|ป่วย|ไป|มา(?:[^ก-๙]|$)"
    r"|เชี่ยวชาญ|ชำนาญ|สาธารณสุข|ใหญ่|ทรงคุณ|ปฏิบัติ|เจ้า"
    r"|งาม|เอก|ฟ้า|พญา|พยาบาล|รำ|นวล|เงือก|ร้อง|สงกรานต์|นพมาศ|กวัก|ไม้|เลิ้ง|ละคร|แอ่น|ร่ม"
    r"|ภาพ|สมบัติ|ค่า|ธรรม|ลักษณ|ประโยชน์|วุฒิ|ครู|ครับ|ค่ะ|คะ|แม่|พ่อ|ยาย|ตา|หญิง|ปู่|ย่า|ลุง|ป้า|น้า|อา(?:[^ก-๙]|$)|หมอ|ต้อง|จะ|ได้|มี|เป็น|สามารถ|ควร|ที่|ก็"
)
_AFTER_NAME = (
    r"จังหวัด|อำเภอ|ตำบล|กล่าว|เปิดเผย|ระบุ|ชี้แจง|พร้อมด้วย|พร้อมคณะ|และ|รองนายก|รองผู้|รองประธาน|ผู้ว่า|ผู้อำนวย|ผู้ช่วย|ผู้บัญชา|ผู้แทน|รัฐมนตรี|นายก|นายอำเภอ"
    r"|ประธาน|อธิบดี|ปลัด|โฆษก|เลขา|เป็นประธาน|ในฐานะ|ซึ่ง|ว่า|เบอร์|โทร|อีเมล|เลข|บัตร|ติดต่อ|ที่อยู่|อายุ|ตำแหน่ง|หมายเลข|ลงพื้นที่|ร่วมกับ|นำคณะ|เข้าร่วม|ได้รับ"
)
_WORD = r"[ก-ฮเ-ไ][ก-ฮะ-ฺเ-๎]{1,30}"
_NAME = re.compile(
    rf"(?:(?P<sure>{_SURE_TITLE})|(?P<weak>{_WEAK_TITLE}))(?P<gap>[ ]{{0,2}})"
    rf"(?!{_NO_NAME_AFTER})(?P<given>{_WORD})"
    rf"(?:[ ]{{1,3}}(?!{_AFTER_NAME})(?P<family>(?:ณ [ก-๎]+|{_WORD})(?: ณ [ก-๎]+)?))?"
)
_CUT = re.compile(rf"(?<=..)(?:{_AFTER_NAME})")


PREFILTER = r"นาย|นาง|คุณ|หม่อม|เด็ก|แพทย์|ว่าที่|ดร\.|[กขชญตทนพมลวศสอร]\."


def titled_names(folded: str) -> Iterator[Candidate]:
    """Names after a title, cut where a verb or an office follows without a space. The title is no part of them."""
    position = 0
    while match := _NAME.search(folded, position):
        position = match.start() + 1
        end = _end_of_name(match)
        has_family = match["family"] is not None and end > match.end("given")
        if has_family or match["sure"] is not None:
            position = end
            yield Candidate(match.start("given"), end, 0.85 if has_family else 0.6)


def _end_of_name(match: re.Match[str]) -> int:
    for part in ("given", "family"):
        text = match[part]
        if text is not None and (cut := _CUT.search(text)):
            return match.start(part) + cut.start()
    return match.end()
