"""Yes and no, in Thai, English and Chinese."""

from __future__ import annotations

from tenant_pipeline.core.standardise.characters import coded
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

_TRUE = frozenset(
    [
        "true",
        "t",
        "yes",
        "y",
        "1",
        "1.0",
        "on",
        "มี",
        "ใช่",
        "ใช่ค่ะ",
        "ใช่ครับ",
        "ได้",
        "จริง",
        "ถูกต้อง",
        "是",
        "是的",
        "有",
        "对",
        "對",
        "真",
        "可以",
        "✓",
        "✔",
        "☑",
    ]
)
_FALSE = frozenset(
    [
        "false",
        "f",
        "no",
        "n",
        "0",
        "0.0",
        "off",
        "ไม่",
        "ไม่มี",
        "ไม่ใช่",
        "ไม่ได้",
        "เท็จ",
        "ไม่จริง",
        "否",
        "不",
        "不是",
        "没有",
        "沒有",
        "无",
        "無",
        "假",
        "不可以",
        "✗",
        "✘",
        "☒",
    ]
)


def standardise_boolean(value: str, context: Context) -> Standardised:
    """`true` or `false`. Raises Unreadable for any word that is not plainly one of the two."""
    word = coded(value).casefold()
    if word in _TRUE:
        return Standardised("true", "boolean")
    if word in _FALSE:
        return Standardised("false", "boolean")
    raise Unreadable("boolean-unreadable", "The value is neither a yes nor a no in Thai, English or Chinese.")
