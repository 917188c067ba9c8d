"""Checks on what comes in: why the PII gate and the quality gate stand as they do, and why a feed's version waits."""

from __future__ import annotations

from collections.abc import Mapping

CHECKS: Mapping[str, tuple[str, str]] = {
    "{count:figure} record is": ("{count} ระเบียน", "{count} 条记录"),
    "{count:figure} records are": ("{count} ระเบียน", "{count} 条记录"),
    "Personal data was still found after replacement; {records:records} withheld for it.": (
        "ยังพบข้อมูลส่วนบุคคลหลังการแทนที่ จึงกักไว้ {records}",
        "替换后仍发现个人数据，因此搁置了 {records}。",
    ),
    "{share:figure} of the records are quarantined; the policy lets a source pass with at most {most:figure}.": (
        "กักไว้ {share} ของระเบียนทั้งหมด นโยบายให้แหล่งข้อมูลผ่านได้หากกักไว้ไม่เกิน {most}",
        "{share} 的记录被搁置；按政策，搁置比例不超过 {most} 的来源才能通过。",
    ),
    "Personal data was found and the tenant has signed no data handling agreement.": (
        "พบข้อมูลส่วนบุคคล แต่ผู้เช่ายังไม่ได้ลงนามข้อตกลงการจัดการข้อมูล",
        "发现个人数据，但租户尚未签署数据处理协议。",
    ),
    "Found and replaced or withheld: {found}.": ("พบและแทนที่หรือกักไว้แล้ว: {found}", "已发现并替换或搁置：{found}。"),
    "Found and left as it is, as the policy says: {found}.": (
        "พบและคงไว้ตามนโยบาย: {found}",
        "已发现，按政策保留原样：{found}。",
    ),
    "Left as it is under the signed declaration {declaration}: {found}.": (
        "คงไว้ตามคำรับรองที่ลงนาม {declaration}: {found}",
        "依据已签署的声明 {declaration} 保留原样：{found}。",
    ),
    "Special categories (PDPA section 26): {found}.": (
        "ข้อมูลอ่อนไหว (PDPA มาตรา 26): {found}",
        "敏感个人数据（PDPA 第 26 条）：{found}。",
    ),
    "{records:records} quarantined.": ("กักไว้ {records}", "搁置了 {records}。"),
    "No personal data was found in {records:figure} records.": (
        "ไม่พบข้อมูลส่วนบุคคลใน {records} ระเบียน",
        "在 {records} 条记录中未发现个人数据。",
    ),
    "Nothing passed: {rejected:figure} of {statements:figure} statements failed a check.": (
        "ไม่มีรายการใดผ่าน: {rejected} จาก {statements} รายการไม่ผ่านการตรวจ",
        "无一通过：{statements} 项陈述中有 {rejected} 项未通过检查。",
    ),
    "{rejected:figure} of {statements:figure} statements ({share:figure}) failed a check, more than the {limit:figure}"
    " at which the gate closes.": (
        "{rejected} จาก {statements} รายการ ({share}) ไม่ผ่านการตรวจ เกินเกณฑ์ {limit} ที่ประตูตรวจปิด",
        "{statements} 项陈述中有 {rejected} 项（{share}）未通过检查，超过关卡关闭的界限 {limit}。",
    ),
    "{rejected:figure} of {statements:figure} statements ({share:figure}) failed a check, more than the {limit:figure}"
    " at which the gate warns.": (
        "{rejected} จาก {statements} รายการ ({share}) ไม่ผ่านการตรวจ เกินเกณฑ์ {limit} ที่ประตูตรวจเตือน",
        "{statements} 项陈述中有 {rejected} 项（{share}）未通过检查，超过关卡警告的界限 {limit}。",
    ),
    "{rejected:figure} of {statements:figure} statements ({share:figure}) failed a check, within the limit of"
    " {limit:figure}.": (
        "{rejected} จาก {statements} รายการ ({share}) ไม่ผ่านการตรวจ อยู่ในเกณฑ์ {limit}",
        "{statements} 项陈述中有 {rejected} 项（{share}）未通过检查，在 {limit} 的界限之内。",
    ),
    "unreadable: {path}: {why}": ("อ่านไม่ได้: {path}: {why}", "无法读取：{path}：{why}"),
    "too-few-rows: {rows:figure}, where at least {least:figure} are expected": (
        "แถวน้อยเกินไป: มี {rows} แถว ควรมีอย่างน้อย {least}",
        "行数过少：{rows} 行，预期至少 {least} 行",
    ),
    "shrunk: from {before:figure} rows to {now:figure}": (
        "ข้อมูลลดลง: จาก {before} แถวเหลือ {now}",
        "数据减少：从 {before} 行减至 {now} 行",
    ),
    "schema-changed: {changes:list}": ("โครงสร้างเปลี่ยน: {changes}", "结构已更改：{changes}"),
    "the same fields in other tables or another order": (
        "ช่องข้อมูลเดิม แต่อยู่ในตารางอื่นหรือเรียงต่างกัน",
        "字段相同，但所在的表或顺序不同",
    ),
    "without {field}": ("ไม่มี {field}", "缺少 {field}"),
    "with {field}": ("มี {field}", "新增 {field}"),
}
