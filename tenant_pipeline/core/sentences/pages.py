"""The page behind a verdict: its title, its headings, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping

PAGES: Mapping[str, tuple[str, str]] = {
    "pii": ("ข้อมูลส่วนบุคคล", "个人数据"),
    "quality": ("คุณภาพ", "质量"),
    "{gate:word} gate of {source}": ("ประตูตรวจ{gate}ของ {source}", "{source} 的{gate}关卡"),
    "The gate is open.": ("ประตูตรวจเปิดอยู่", "关卡已打开。"),
    "The gate is closed.": ("ประตูตรวจปิดอยู่", "关卡已关闭。"),
    "{person} answers for it until {until}.": ("{person} รับผิดชอบจนถึง {until}", "{person} 对此负责，截至 {until}。"),
    "Found": ("สิ่งที่พบ", "发现"),
    "Coverage of {subject}": ("ความครอบคลุมของ {subject}", "{subject} 的覆盖率"),
    "Coverage that going live asks for, of {source}": (
        "ความครอบคลุมที่ต้องมีก่อนขึ้นระบบจริง ของ {source}",
        "{source} 上线所需的覆盖率",
    ),
    "Coverage beside it, of {source}": ("ความครอบคลุมด้านอื่นของ {source}", "{source} 的其他覆盖率"),
    "Scores": ("คะแนน", "得分"),
    "{part:figure} of {whole:figure}": ("{part} จาก {whole}", "{whole} 项中有 {part} 项"),
    "{dimension:coverage_dimensions}": ("{dimension}", "{dimension}"),
    "{dimension:coverage_dimensions}: {explanation:sentence}.": (
        "{dimension}: {explanation}",
        "{dimension}：{explanation}。",
    ),
    "{dimension:coverage_dimensions}: {needed:figure} more lift it to {band:word}.": (
        "{dimension}: อีก {needed} รายการจะขึ้นเป็น{band}",
        "{dimension}：再有 {needed} 项即达到{band}。",
    ),
    "{dimension:coverage_dimensions}: {person} answers for {floor:word} until {until}: {reason}": (
        "{dimension}: {person} รับผิดชอบให้นับเป็น{floor}จนถึง {until}: {reason}",
        "{dimension}：{person} 负责按{floor}计，截至 {until}：{reason}",
    ),
    "{dimension:coverage_dimensions}: these {count:figure} would lift it most": (
        "{dimension}: {count} รายการนี้ช่วยได้มากที่สุด",
        "{dimension}：这 {count} 项最能提升",
    ),
    "Conflicts of {source}": ("ข้อขัดแย้งของ {source}", "{source} 的冲突"),
    "{count:figure} items in which this source and others contradict each other are not decided.": (
        "มี {count} รายการที่แหล่งข้อมูลนี้ขัดแย้งกับแหล่งอื่นและยังไม่ได้ตัดสิน",
        "有 {count} 项该来源与其他来源相矛盾，尚未决定。",
    ),
    "The first {count:figure}": ("{count} รายการแรก", "前 {count} 项"),
    "dimension": ("มิติ", "维度"),
    "score": ("คะแนน", "得分"),
    "band": ("ผล", "等级"),
    "counts as": ("นับเป็น", "计为"),
    "warn / pass at": ("เตือน / ผ่านที่", "警告线 / 通过线"),
    "counted": ("นับได้", "计数"),
    "what": ("สิ่ง", "事物"),
    "id": ("รหัส", "标识"),
    "lacks": ("สิ่งที่ขาด", "缺少"),
    "gain": ("ช่วยได้", "提升"),
    "where": ("ตำแหน่ง", "位置"),
    "property": ("ช่องข้อมูล", "字段"),
    "compared by": ("เทียบด้วยกฎ", "比较规则"),
    "proposed by": ("เสนอโดย", "提议规则"),
    "needs a person": ("ต้องให้คนตัดสิน", "需要人工"),
    "item": ("รายการ", "项"),
    "yes": ("ใช่", "是"),
    "no": ("ไม่", "否"),
    "What can be done": ("สิ่งที่ทำได้", "可以采取的措施"),
    "Look at what was held back: `{command}`.": ("ดูสิ่งที่กักไว้: `{command}`", "查看被搁置的内容：`{command}`。"),
    "Mend the source and hand it in again, or change what policy does with a field.": (
        "แก้ไขแหล่งข้อมูลแล้วส่งใหม่ หรือเปลี่ยนนโยบายที่ใช้กับช่องข้อมูล",
        "修正来源后重新提交，或更改政策对某个字段的处理。",
    ),
    "Or have governance answer for it: `{command}`.": (
        "หรือให้ธรรมาภิบาลรับผิดชอบ: `{command}`",
        "或由平台治理方对此负责：`{command}`。",
    ),
    "See it in full: `{command}`.": ("ดูทั้งหมด: `{command}`", "查看全部：`{command}`。"),
    "Or have governance answer for a dimension: `{command}`.": (
        "หรือให้ธรรมาภิบาลรับผิดชอบมิติหนึ่ง: `{command}`",
        "或由平台治理方对某个维度负责：`{command}`。",
    ),
    "Look at one and sign it: `{command}`.": ("ดูรายการหนึ่งแล้วลงนาม: `{command}`", "查看其中一项并签署：`{command}`。"),
    "Draw them: `{command}`.": ("วาดเป็นภาพ: `{command}`", "绘制成图：`{command}`。"),
}
