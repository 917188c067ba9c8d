"""Words that announce a telephone number, in field names and in text."""

from __future__ import annotations

PHONE_WORDS = (
    "โทรศัพท์", "โทร", "เบอร์", "มือถือ", "ติดต่อ", "หมายเลขโทรศัพท์", "แฟกซ์", "โทรสาร", "สายด่วน",
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "call", "fax", "hotline", "whatsapp", "viber",
    "phone number", "contact number", "contact no", "dial", "reach me",
    "电话", "手机", "联系方式", "联系电话", "电话号码", "传真", "热线", "致电", "微信",
)  # fmt: skip

MENTIONING_WORDS = (
    *PHONE_WORDS,
    "answering", "pick up", "ring", "text", "texted", "texting", "message", "messages", "sms", "voicemail",
    "reach", "reached", "reachable", "contact", "office", "extension",
    "ส่งข้อความ", "ข้อความ", "เอสเอ็มเอส", "ต่อสาย", "短信", "拨打", "联系", "办公室", "分机",
)  # fmt: skip
"""Words that go with a telephone number, but with much else too: enough for digits that are grouped as one is."""
