"""Coverage: why a dimension has its band, what it lacks, and what would lift it."""

from __future__ import annotations

from collections.abc import Mapping

COVERAGE: Mapping[str, tuple[str, str]] = {
    "pass": ("ผ่าน", "通过"),
    "warn": ("เตือน", "警告"),
    "fail": ("ไม่ผ่าน", "未通过"),
    "not-assessed": ("ยังไม่ประเมิน", "未评估"),
    "Thai": ("ภาษาไทย", "泰文"),
    "English": ("ภาษาอังกฤษ", "英文"),
    "Chinese": ("ภาษาจีน", "中文"),
    "{band:word} because {reason:sentence}": ("{band} เพราะ{reason}", "{band}，因为{reason}"),
    "not assessed: {reason:sentence}": ("ยังไม่ประเมิน: {reason}", "未评估：{reason}"),
    "nothing to judge": ("ไม่มีข้อมูลให้ประเมิน", "没有可供评估的内容"),
    "nothing was scored yet": ("ยังไม่มีการให้คะแนน", "尚未评分"),
    "no source was scored yet": ("ยังไม่มีแหล่งข้อมูลใดได้คะแนน", "尚无来源评分"),
    "{dimension:coverage_dimensions}: {explanation:sentence}": (
        "{dimension}: {explanation}",
        "{dimension}：{explanation}",
    ),
    "none of the {whole:figure}": ("ไม่มีเลยจากทั้งหมด {whole} รายการ", "一项也没有（共 {whole} 项）"),
    "all {whole:figure}": ("คือทั้ง {whole} รายการ", "有 {whole} 项，即全部"),
    "{part:figure} of the {whole:figure} ({share:figure})": (
        "มี {part} จาก {whole} รายการ ({share})",
        "有 {part} 项（共 {whole} 项，{share}）",
    ),
    "{share:share} expected properties have no value": (
        "ช่องข้อมูลที่ควรมีแต่ยังไม่มีค่า {share}",
        "应有但没有值的字段{share}",
    ),
    "{share:share} named entities have no {language:word} name": (
        "สิ่งที่มีชื่อแต่ไม่มีชื่อ{language} {share}",
        "有名称但没有{language}名称的事物{share}",
    ),
    "{one:sentence} and {other:sentence}": ("{one} และ{other}", "{one}，{other}"),
    "all named entities have a name in each language": (
        "สิ่งที่มีชื่อทั้งหมดมีชื่อครบทุกภาษา",
        "所有有名称的事物都有每种语言的名称",
    ),
    "{present:figure} of the {wanted:figure} types of the template are present": (
        "มี {present} จาก {wanted} ประเภทตามแม่แบบ",
        "模板要求的 {wanted} 种类型中有 {present} 种",
    ),
    "{share:share} statements could not be used": ("รายการข้อมูลที่ใช้ไม่ได้ {share}", "无法使用的陈述{share}"),
    "{share:share} facts stand alone": (
        "ข้อเท็จจริงที่ไม่มีแหล่งอื่นยืนยัน {share}",
        "没有其他来源佐证的事实{share}",
    ),
    "{share:share} shared facts are disputed": (
        "ข้อเท็จจริงที่มีหลายแหล่งกล่าวถึงและยังขัดแย้งกัน {share}",
        "多个来源都提到且仍有冲突的事实{share}",
    ),
    "nobody said as of when the facts hold": (
        "ไม่มีใครระบุว่าข้อเท็จจริงเป็นของเวลาใด",
        "没有说明这些事实截至何时有效",
    ),
    "it was observed {age:figure} days ago and stays fresh for {period:figure}": (
        "ข้อมูลสังเกตไว้เมื่อ {age} วันก่อน และถือว่าทันสมัย {period} วัน",
        "数据是 {age} 天前观察到的，有效期为 {period} 天",
    ),
    "{share:share} statements lead back to no place in the source": (
        "รายการข้อมูลที่ย้อนกลับไปหาตำแหน่งในแหล่งข้อมูลไม่ได้ {share}",
        "无法追溯到来源中具体位置的陈述{share}",
    ),
    "no rights are declared for the source": ("แหล่งข้อมูลนี้ยังไม่ระบุสิทธิการใช้", "该来源未声明使用权利"),
    "{share:share} records are withheld for privacy": (
        "ระเบียนที่กักไว้เพื่อความเป็นส่วนตัว {share}",
        "因隐私而搁置的记录{share}",
    ),
    "{numerator:figure} of {denominator:figure} over {sources:figure} sources": (
        "ผ่าน {numerator} จาก {denominator} รายการ รวม {sources} แหล่งข้อมูล",
        "在 {sources} 个来源的 {denominator} 项中有 {numerator} 项达标",
    ),
    "{share:figure} of the {entities:figure} {type:types} lack {lacks:sentence}.": (
        "{share} ของ{type}ทั้งหมด {entities} รายการ ไม่มี{lacks}",
        "没有{lacks}的{type}：{share}（共 {entities} 个）。",
    ),
    "a Thai name": ("ชื่อภาษาไทย", "泰文名称"),
    "an English name": ("ชื่อภาษาอังกฤษ", "英文名称"),
    "a Chinese name": ("ชื่อภาษาจีน", "中文名称"),
    "There is no {type:types}.": ("ยังไม่มี{type}", "还没有{type}。"),
    "{count:figure} of the facts about {property:properties} are told by one source.": (
        "ข้อเท็จจริงเกี่ยวกับ{property} {count} รายการ มีแหล่งข้อมูลเดียว",
        "关于{property}的事实中有 {count} 项只有一个来源。",
    ),
    "{count:figure} of the open conflicts are about {property:properties}.": (
        "ข้อขัดแย้งที่ยังเปิดอยู่ {count} รายการ เกี่ยวกับ{property}",
        "未解决的冲突中有 {count} 项关于{property}。",
    ),
    "{properties:properties}": ("{properties}", "{properties}"),
    "name in {languages:list}": ("ชื่อ{languages}", "{languages}名称"),
    "th": ("ภาษาไทย", "泰文"),
    "en": ("ภาษาอังกฤษ", "英文"),
    "zh": ("ภาษาจีน", "中文"),
    "a decision on {properties:properties}": ("คำตัดสินเรื่อง{properties}", "关于{properties}的决定"),
    "a place or a method": ("ตำแหน่งหรือวิธีได้มา", "位置或方法"),
    "values that can be used: `tenant-pipeline stages` names the reasons": (
        "ค่าที่ใช้ได้: `tenant-pipeline stages` บอกสาเหตุ",
        "可用的值：`tenant-pipeline stages` 会列出原因",
    ),
    "a newer day of observation": ("วันที่สังเกตที่ใหม่กว่า", "更新的观察日期"),
    "declared rights (`tenant-pipeline source change`), or records without what was withheld": (
        "การระบุสิทธิ (`tenant-pipeline source change`) หรือระเบียนที่ไม่มีส่วนที่ถูกกักไว้",
        "声明的权利（`tenant-pipeline source change`），或不含被搁置内容的记录",
    ),
}
