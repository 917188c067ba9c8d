"""ChatGPT and Claude exports are read message by message; what nobody saw is left out and counted."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tenant_pipeline.intake.readers.chatgpt_export import (
    read_chatgpt,
)
from tenant_pipeline.intake.readers.claude_export import (
    read_claude,
)
from tenant_pipeline.intake.readers.item import Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.registry import READERS
from tests.unit.intake.ai_export_reading import Read, sample, sample_read


def _chatgpt(*messages: dict[str, Any]) -> bytes:
    """A conversation of messages, each the child of the one before."""
    mapping = {
        f"m{number}": {"parent": f"m{number - 1}" if number else None, "message": message}
        for number, message in enumerate(messages)
    }
    return json.dumps([{"title": "t", "current_node": f"m{len(messages) - 1}", "mapping": mapping}]).encode()


def _message(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"author": {"role": role}, "content": content, **more}


def test_chatgpt_gives_the_current_branch_first_and_keeps_the_other() -> None:
    messages = sample_read("chatgpt/conversations.json").table("messages")
    assert [(message["#"], message["role"], message["branch"]) for message in messages] == [
        ("message=cm-ask", "user", "current"),
        ("message=cm-answer", "assistant", "current"),
        ("message=cm-photo", "user", "current"),
        ("message=cm-last", "assistant", "current"),
        ("message=cm-first", "assistant", "alternative"),
        ("message=kk-ask", "user", "current"),
        ("message=kk-answer", "assistant", "current"),
    ]
    assert messages[0]["conversation"] == "สถานที่จัดประชุมเชียงใหม่"
    assert messages[0]["created"] == "2026-03-02T03:00:00+00:00"
    assert messages[1]["text"].endswith("Doi Kham Convention Hall is the closest to the old city.")  # type: ignore[union-attr]
    assert {message["assistant"] for message in messages} == {"chatgpt"}


def test_a_drawn_table_of_more_headers_than_are_kept_apart_is_a_problem_and_its_text_is_kept() -> None:
    drawn = [f"| hall {number} | seats |\n|---|---|\n| A | 1 |\n| B | 2 |" for number in range(203)]
    answers = [_message("assistant", {"content_type": "text", "parts": [text]}) for text in [*drawn, drawn[0]]]
    found = list(READERS["chatgpt"](io.BytesIO(_chatgpt(*answers)), "utf-8"))
    items = [each for each in found if isinstance(each, Item)]
    rows = [each.table for each in items if each.table != "messages"]
    assert (len(set(rows)), len(rows)) == (200, 402)
    assert len(items) - len(rows) == 204
    assert [(each.code, each.locator) for each in found if isinstance(each, Problem)] == [
        ("too-many-tables", f"message=m{number}&table=1") for number in (200, 201, 202)
    ]


def test_chatgpt_counts_every_message_that_nobody_saw() -> None:
    problems = sample_read("chatgpt/conversations.json").problems
    left_out = ("system", "context", "thoughts", "call", "result", "recap")
    assert problems == [("hidden-message", f"message=cm-{name}") for name in left_out]


def test_chatgpt_citations_of_all_years_are_one_record_for_each_address() -> None:
    citations = sample_read("chatgpt/conversations.json").table("citations")
    assert [(row["#"], row["url"], row["title"], row["cited_text"]) for row in citations] == [
        ("message=cm-answer&citation=1", "https://doikham-hall.example/rooms", "Doi Kham Convention Hall – rooms",
         "The main hall seats 1,200 delegates in theatre layout."),
        ("message=cm-answer&citation=2", "https://chiangmai-mice.example/news/halls", "ข่าวสถานที่จัดงานเชียงใหม่",
         "หอประชุมดอยคำเปิดห้องประชุมใหม่"),
        ("message=cm-answer&citation=3", "https://doikham-hall.example/map", "Getting there", None),
        ("message=cm-answer&citation=4", "https://san-kamphaeng.example/pavilion", "ศาลาหัตถกรรม", "จุได้ 400 คน"),
        ("message=cm-last&citation=1", "https://san-kamphaeng.example/pavilion", "ศาลาหัตถกรรมสันกำแพง",
         "หน้าจั่วไม้แกะสลัก"),
        ("message=kk-answer&citation=1", "https://khonkaen-silk.example/zh", "孔敬丝绸博览会", "十一月二十九日开幕"),
    ]  # fmt: skip
    assert {row["message"] for row in citations} == {"cm-answer", "cm-last", "kk-answer"}


def test_chatgpt_files_and_images_are_attachments_told_once() -> None:
    assert sample_read("chatgpt/conversations.json").table("attachments") == [
        {"message": "cm-ask", "name": "event-brief.pdf", "media type": "application/pdf", "size": "48213",
         "id": "file-cm-brief", "#": "message=cm-ask&attachment=1"},
        {"message": "cm-photo", "name": "pavilion.jpg", "media type": "image/jpeg", "size": "182044",
         "id": "file_0000cm7f", "#": "message=cm-photo&attachment=1"},
    ]  # fmt: skip


def test_the_parts_of_a_split_export_hold_what_the_whole_holds() -> None:
    whole = sample_read("chatgpt/conversations.json").found
    parts = [sample_read(f"chatgpt/split/conversations-00{number}.json").found for number in (0, 1)]
    assert parts[0] + parts[1] == whole


def test_a_manifest_is_a_table_of_parts() -> None:
    read = sample_read("chatgpt/split/export_manifest.json")
    sizes = [str(len(sample(f"chatgpt/split/conversations-00{number}.json"))) for number in (0, 1)]
    assert read.problems == []
    assert read.table("parts") == [
        {"file": f"conversations-00{number}.json", "part of": "conversations.json", "size": sizes[number],
         "#": f"/0/logical_files/conversations.json/files/{number}"}
        for number in (0, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (_message("assistant", {"content_type": "code", "language": "python", "text": "x = 1"}), "x = 1"),
        (_message("assistant", {"content_type": "text", "parts": ["a", None, 7, "b"]}), "a\nb"),
        (_message("user", {"content_type": "multimodal_text", "parts": [
            {"content_type": "audio_transcription", "text": "ที่ไหน"},
            {"content_type": "real_time_user_audio_video_asset_pointer",
             "audio_asset_pointer": {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://s1",
                                     "format": "wav", "size_bytes": 9}}]}), "ที่ไหน"),
        (_message("assistant", {"content_type": "something new", "text": "said"}), "said"),
        (_message("assistant", {"content_type": "text", "parts": ["a 【3†source】"]}), "a"),
    ],
)  # fmt: skip
def test_chatgpt_text_is_found_in_every_kind_of_content(message: dict[str, Any], text: str) -> None:
    assert [said for _, said in Read("chatgpt", _chatgpt(message)).said] == [text]


@pytest.mark.parametrize(
    "message",
    [
        _message("assistant", {"content_type": kind, "text": "x", "parts": ["x"]})
        for kind in ("thoughts", "reasoning_recap", "execution_output", "tether_quote", "tether_browsing_display",
                     "user_editable_context", "model_editable_context")
    ]
    + [
        _message("tool", {"content_type": "text", "parts": ["x"]}),
        _message("system", {"content_type": "text", "parts": ["x"]}),
        _message("user", {"parts": ["x"]}, metadata={"is_visually_hidden_from_conversation": True}),
        _message("assistant", {"content_type": "code", "text": "x"}, recipient="browser.run"),
        _message("assistant", {"parts": ['{"content": "x"}']}, recipient="canmore.update_textdoc"),
        _message("assistant", {"parts": ['{"content": "x']}, recipient="canmore.create_textdoc"),
        _message("assistant", {"parts": [""]}),
        {"author": None, "content": 3},
    ],
)  # fmt: skip
def test_chatgpt_messages_that_nobody_saw_are_left_out_and_counted(message: dict[str, Any]) -> None:
    read = Read("chatgpt", _chatgpt(_message("user", {"parts": ["asked"]}), message))
    assert read.said == [("user", "asked")]
    assert read.problems == [("hidden-message", "message=m1")]


@pytest.mark.parametrize("content", [{"content_type": "code", "text": None}, {"content_type": "text", "parts": []}])
def test_a_document_on_chatgpts_canvas_is_what_the_assistant_wrote(content: dict[str, Any]) -> None:
    text = "# โถง\n\n| hall | seats |\n|---|---|\n| A | 10 |"
    written = json.dumps({"name": "halls", "type": "document", "content": text})
    content = {name: [written] if name == "parts" else value or written for name, value in content.items()}
    document = _message("assistant", content, recipient="canmore.create_textdoc")
    read = Read("chatgpt", _chatgpt(_message("user", {"parts": ["write"]}), document))
    assert [(row["#"], row["role"], row.get("title"), row["text"]) for row in read.table("messages")] == [
        ("message=m0", "user", None, "write"),
        ("message=m1", "assistant", "halls", text),
    ]
    assert read.table("tables: hall, seats") == [{"hall": "A", "seats": "10", "#": "message=m1&table=1&line=5"}]
    assert read.problems == []


def test_a_message_of_an_image_alone_is_counted_and_its_image_kept() -> None:
    image = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1", "size_bytes": 5}
    read = Read("chatgpt", _chatgpt(_message("user", {"parts": ["see"]}), _message("user", {"parts": [image]})))
    assert read.problems == [("message-without-text", "message=m1")]
    assert read.table("attachments") == [
        {"message": "m1", "name": None, "media type": "image/*", "size": "5", "id": "file-1",
         "#": "message=m1&attachment=1"}
    ]  # fmt: skip


def test_a_circle_in_the_tree_ends_and_an_odd_node_is_a_problem() -> None:
    said = _message("user", {"parts": ["x"]})
    mapping = {
        "a": {"parent": "b", "message": said},
        "b": {"parent": "a", "message": said},
        "c": 3,
        "d": {"message": 4},
    }
    read = Read("chatgpt", json.dumps({"current_node": "a", "mapping": mapping}).encode())
    assert [message["#"] for message in read.table("messages")] == ["message=b", "message=a"]
    assert read.problems == [("broken-message", "message=c"), ("broken-message", "message=d")]


def test_a_message_id_cannot_forge_a_locator() -> None:
    mapping = {"a&table=1#x y": {"message": _message("user", {"parts": ["x"]})}}
    read = Read("chatgpt", json.dumps([{"mapping": mapping}]).encode())
    assert read.table("messages")[0]["#"] == "message=a%26table%3D1%23x%20y"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_an_export_is_read_in_the_encoding_it_comes_in(encoding: str) -> None:
    content = json.dumps([{"mapping": {"a": {"message": _message("user", {"parts": ["普吉"]})}}}], ensure_ascii=False)
    assert Read("chatgpt", content.encode(encoding), encoding).said == [("user", "普吉")]


def test_claude_keeps_both_spellings_of_who_spoke_and_the_text_of_attachments() -> None:
    read = sample_read("claude/conversations.json")
    assert [(message["#"], message["role"]) for message in read.table("messages")] == [
        ("message=hh-1", "user"),
        ("message=hh-2", "assistant"),
        ("message=hh-3", "user"),
        ("message=fd-1", "user"),
        ("message=fd-2", "assistant"),
    ]
    assert read.said[0][1] == ("ขอรายชื่อห้องประชุมในหัวหินและชะอำ ตามไฟล์แนบ\n\nต้องการห้องสำหรับ 800 คน และห้องย่อย 4 ห้อง")
    assert [(row["name"], row["media type"], row["size"], row["id"]) for row in read.table("attachments")] == [
        ("requirements.txt", "txt", "61", None),
        ("floor-plan.png", "image/png", None, "5be1f0aa-0000-4000-8000-0000000000f1"),
    ]


def test_claude_tools_and_thinking_are_left_out_and_counted_block_by_block() -> None:
    problems = sample_read("claude/conversations.json").problems
    assert problems == [("hidden-block", f"message=hh-2&block={number}") for number in (1, 2, 3)]


def test_claude_citations_have_the_title_that_the_search_found_and_the_words_that_lean_on_them() -> None:
    assert sample_read("claude/conversations.json").table("citations") == [
        {"url": "https://huahin-forum.example/facts", "title": "Hua Hin Seaside Forum – facts", "message": "hh-2",
         "cited_text": "The forum was enlarged last year.", "#": "message=hh-2&citation=1"}
    ]  # fmt: skip


def test_claude_branches_that_were_given_up_are_kept_as_such() -> None:
    messages = [
        {"uuid": "1", "sender": "human", "text": "Where?", "parent_message_uuid": "0"},
        {"uuid": "2", "sender": "assistant", "text": "Here.", "parent_message_uuid": "1"},
        {"uuid": "3", "sender": "assistant", "text": "There.", "parent_message_uuid": "1"},
    ]
    read = Read("claude", json.dumps({"uuid": "c", "chat_messages": messages}).encode())
    assert [message["branch"] for message in read.table("messages")] == ["current", "alternative", "current"]


def test_a_claude_message_of_tools_alone_is_no_message() -> None:
    placeholder = "```\nThis block is not supported on your current device yet.\n```"
    only_tool = {"uuid": "2", "sender": "assistant", "text": placeholder, "content": [{"type": "tool_use"}]}
    messages = [{"uuid": "1", "sender": "human", "text": "Where?"}, only_tool]
    read = Read("claude", json.dumps([{"chat_messages": messages}]).encode())
    assert read.said == [("user", "Where?")]
    assert read.problems == [("hidden-message", "message=2"), ("hidden-block", "message=2&block=1")]


def test_claudes_artifacts_are_what_the_assistant_wrote_and_changes_to_them_are_counted() -> None:
    def artifact(**about: str) -> dict[str, Any]:
        return {"type": "tool_use", "name": "artifacts", "input": about}

    content = [
        {"type": "text", "text": "Here."},
        artifact(command="create", title="Halls", content="Hall A"),
        artifact(command="update", old_str="A", new_str="B"),
    ]
    again = [artifact(command="rewrite", content="Hall C")]
    messages = [
        {"uuid": str(number), "sender": "assistant", "content": each} for number, each in enumerate([content, again])
    ]
    read = Read("claude", json.dumps([{"chat_messages": messages}]).encode())
    assert [(row["#"], row["role"], row.get("title"), row["text"]) for row in read.table("messages")] == [
        ("message=0", "assistant", None, "Here."),
        ("message=0&block=2", "assistant", "Halls", "Hall A"),
        ("message=1&block=1", "assistant", None, "Hall C"),
    ]
    assert read.problems == [("hidden-block", "message=0&block=3")]


def test_claude_projects_are_segments() -> None:
    segments = sample_read("claude/projects.json").table("projects")
    assert [(row["section"], row["title"], row["#"]) for row in segments] == [
        ("description", "แผนงานไมซ์ 2569", "/0/description"),
        ("prompt_template", "แผนงานไมซ์ 2569", "/0/prompt_template"),
        ("docs", "halls.md", "/0/docs/0"),
        ("docs", "notes-zh.txt", "/0/docs/1"),
    ]
    assert segments[3]["text"] == "七岩镇的酒店十月开始装修。"


def test_account_holders_are_counted_and_never_taken_in() -> None:
    found: list[Item | Problem] = []
    with pytest.raises(UnreadableError) as refused:
        found.extend(_until_error(read_claude(io.BytesIO(sample("claude/users.json")), "utf-8"), found))
    assert refused.value.code == "account-data"
    assert [(item.code, item.locator) for item in found if isinstance(item, Problem)] == [("account-data", "/0")]
    assert not [item for item in found if isinstance(item, Item)]


def _until_error(items: Items, found: list[Item | Problem]) -> list[Item | Problem]:
    for item in items:
        found.append(item)
    return []


class Endless(io.RawIOBase):
    """An export of conversations without end; it remembers how far it was read."""

    def __init__(self) -> None:
        conversation = json.loads(_chatgpt(_message("user", {"parts": ["x" * 4000]})))[0]
        self._one = json.dumps(conversation).encode() + b","
        self.position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        assert size <= 1 << 20
        text = b"[" if self.position == 0 else b""
        first = max(self.position - 1, 0) % len(self._one)
        repeated = self._one * (size // len(self._one) + 2)
        buffer[:] = text + repeated[first : first + size - len(text)]
        self.position += size
        return size


def test_an_export_is_streamed_conversation_by_conversation() -> None:
    stream = Endless()
    items = read_chatgpt(stream, "utf-8")  # type: ignore[arg-type]
    read = [next(items) for _ in range(50)]
    assert all(isinstance(item, Item) and item.table == "messages" for item in read)
    assert stream.position < 500_000
