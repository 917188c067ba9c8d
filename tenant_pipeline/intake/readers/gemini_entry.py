"""An entry of Google's My Activity: what was asked of Gemini, and what it answered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tenant_pipeline.intake.readers.chat_attachment import Attachment, attachment_items
from tenant_pipeline.intake.readers.chat_citation import Citation, citation_items
from tenant_pipeline.intake.readers.chat_message import ASSISTANT, CURRENT, USER, message_items, message_place
from tenant_pipeline.intake.readers.item import Item, Items, Problem

LONGEST_PAUSE = timedelta(minutes=30)
"""Prompts that lie further apart than this are taken for different conversations: My Activity names none."""

INFERRED = "inferred-by-time"
_PRODUCT = re.compile(r"(?<![a-z])(?:gemini|bard)(?![a-z])", re.IGNORECASE)
_SAYING = re.compile(
    r"(?:prompted(?:\s+with)?|asked(?:\s+(?:gemini|bard))?|(?:you\s+)?said|message\s+sent|sent\s+message"
    r"|ป้อนพรอมต์|ป้อนข้อความ|พิมพ์ข้อความ|ส่งข้อความ|ข้อความที่ส่ง|ข้อความแจ้ง|พรอมต์|สั่ง|ถาม(?:\s*(?:gemini|bard))?"
    r"|(?:已)?(?:输入|輸入|发送|發送|傳送)(?:了)?(?:的)?(?:提示词?|提示詞|消息|讯息|訊息|问题|問題)?"
    r"|(?:已)?提示(?:词|詞)?|(?:已)?(?:提问|提問|询问|詢問|问|問)(?:\s*(?:gemini|bard))?"
    r"|送信したメッセージ|プロンプト)"
    r"(?:(?:ว่า|了)\s*[:：]?\s*|\s*[:：]\s*|\s+)(?P<prompt>.+)",
    re.IGNORECASE | re.DOTALL,
)
_DOING = re.compile(
    r"(?:used|created|gave|selected|shared|deleted|viewed|visited|edited|pinned|renamed|exported|updated|added)\s"
    r"|(?:ใช้|สร้าง|ให้ความคิดเห็น|แสดงความคิดเห็น|ส่งความคิดเห็น|เลือก|แชร์|ลบ|แก้ไข|ปักหมุด|เปลี่ยนชื่อ|ส่งออก)"
    r"|(?:已)?(?:使用|创建|建立|提供|选择|選取|分享|删除|刪除|查看|编辑|編輯|固定|重命名|导出|匯出)(?:了|过|過|\s|[:：])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Entry:
    """An entry as its file tells it. `created` is in ISO 8601, `answer` in Markdown."""

    identifier: str
    products: tuple[str, ...]
    title: str
    created: str | None
    answer: str
    attachments: tuple[Attachment, ...] = ()
    citations: tuple[Citation, ...] = ()


def names_gemini(text: str) -> bool:
    """Whether a text names the assistant, under its name of today or its first one."""
    return _PRODUCT.search(text) is not None


def entry_items(entries: Iterable[Entry]) -> Items:
    """The messages of the entries that are Gemini's, in the file's order; the others are problems.

    A conversation goes by the time of the entry of it that the file has first.
    """
    conversation: str | None = None
    last: datetime | None = None
    for entry in entries:
        if not any(names_gemini(product) for product in entry.products):
            yield Problem(message_place(entry.identifier), "other-product", "The entry is another product's.")
            continue
        at = _time(entry.created)
        if at is None or last is None or abs(at - last) > LONGEST_PAUSE:
            conversation = entry.created if at is not None else None
        last = at
        yield from _entry(entry, conversation)


def prompt_in(title: str) -> str | None:
    """What a person said, out of an entry's title: what follows the verb, in any language that is known.

    A title without a known verb is all said, unless it tells of something done. None where nothing was said.
    """
    title = title.strip()
    if said := _SAYING.match(title):
        return said["prompt"].strip() or None
    return None if _DOING.match(title) else title or None


def _entry(entry: Entry, conversation: str | None) -> Items:
    prompt = prompt_in(entry.title)
    asked, answered = f"{entry.identifier}-prompt", f"{entry.identifier}-answer"
    attached = list(attachment_items(asked, entry.attachments))
    if prompt is None:
        yield Problem(message_place(asked), "not-a-prompt", "The entry tells of something done and not said.")
    else:
        yield from _message(asked, prompt, USER, entry, conversation)
    yield from attached
    if entry.answer:
        yield from _message(answered, entry.answer, ASSISTANT, entry, conversation)
        yield from citation_items(answered, entry.citations)


def _message(identifier: str, text: str, role: str, entry: Entry, conversation: str | None) -> Iterable[Item | Problem]:
    return message_items(
        identifier,
        text,
        assistant="gemini",
        role=role,
        conversation=conversation,
        created=entry.created,
        branch=CURRENT,
        grouping=INFERRED,
    )


def _time(created: str | None) -> datetime | None:
    if created is None:
        return None
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
