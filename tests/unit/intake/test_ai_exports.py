"""Exports of four assistants are recognised, read the same twice, and refused where nobody said anything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tenant_pipeline.intake.readers.chat_message import AI_READERS
from tenant_pipeline.intake.readers.gemini_export import (
    looks_like_gemini_activity_page,
)
from tenant_pipeline.intake.readers.item import Item, UnreadableError
from tests.unit.intake.ai_export_reading import LOOKS, READERS, SAMPLE_KINDS, Read, sample, sample_read

ROOT = Path(__file__).resolve().parents[3]
SHARED_EXPORTS = ROOT.parent / "shared" / "data" / "ai_exports"
VENUES = "tables: name_en, name_th, capacity"


@pytest.mark.parametrize(("name", "kind"), SAMPLE_KINDS.items())
def test_each_sample_is_recognised_as_what_it_is_and_as_nothing_else(name: str, kind: str) -> None:
    text = sample(name).decode()
    assert [known for known, looks in LOOKS if looks(text, name.rsplit("/", 1)[-1])] == [kind]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("name,capacity\nHall,10\n", "venues.csv"),
        ("# Halls\n\nSee [the register](https://register.example).\n\n[^1]: A note.\n", "halls.md"),
        ('[{"header": "Search", "title": "Searched", "time": "2026-01-01T00:00:00Z"}]', "MyActivity.json"),
        ('{"files": ["a.csv"]}', "manifest.json"),
        ('[{"uuid": "1", "full_name": "A Desk", "email_address": "a@b.example"}]', "contacts.json"),
        ('{"choices": [{"message": {"content": "x"}}]}', "other.json"),
        ("<html><body><div class='content-cell'>Gemini</div></body></html>", "page.html"),
    ],
)
def test_what_is_no_export_is_not_taken_for_one(text: str, path: str) -> None:
    assert [known for known, looks in LOOKS if looks(text, path)] == []


def test_the_readers_of_ai_exports_are_named() -> None:
    assert frozenset(READERS) == AI_READERS


@pytest.mark.parametrize("name", SAMPLE_KINDS)
def test_a_sample_is_read_the_same_twice_and_no_place_twice(name: str) -> None:
    if name == "claude/users.json":
        return
    found = sample_read(name).found
    assert found == sample_read(name).found
    places = [item.locator for item in found]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(
    ("name", "venues"),
    [
        (
            "chatgpt/conversations.json",
            [
                ("Doi Kham Convention Hall", "หอประชุมดอยคำ", "1,200", "message=cm-answer&table=1&line=5"),
                ("Ping Riverside Exhibition Ground", "ลานแสดงสินค้าริมปิง", "3500", "message=cm-answer&table=1&line=6"),
                ("San Kamphaeng Craft Pavilion", "ศาลาหัตถกรรมสันกำแพง", "400", "message=cm-answer&table=1&line=7"),
            ],
        ),
        (
            "claude/conversations.json",
            [
                ("Hua Hin Seaside Forum", "หัวหินซีไซด์ฟอรัม", "900", "message=hh-2&table=1&line=5"),
                ("Cha-am Grand Ballroom", "ชะอำแกรนด์บอลรูม", "1,500", "message=hh-2&table=1&line=6"),
                ("Pran Buri Garden Hall", "หอสวนปราณบุรี", "250", "message=hh-2&table=1&line=7"),
            ],
        ),
        ("claude/projects.json", [("Phetchaburi Palm Hall", "หอปาล์มเพชรบุรี", "320", "/0/docs/0&table=1&line=5")]),
        (
            "gemini/MyActivity.html",
            [
                ("Mekong Isan Expo Centre", "ศูนย์แสดงสินค้าแม่โขงอีสาน", "8,000", "message=1-answer&table=1&line=5"),
                ("Bueng Kaen Lake Pavilion", "ศาลาบึงแก่น", "600", "message=1-answer&table=1&line=6"),
            ],
        ),
        (
            "gemini/ai-studio-prompt.json",
            [
                ("Hat Yai Trade Hall", "หอการค้าหาดใหญ่", "1100", "message=3&table=1&line=3"),
                ("Songkhla Lagoon Stage", "เวทีทะเลสาบสงขลา", "2000", "message=3&table=1&line=4"),
            ],
        ),
        (
            "perplexity/thread.md",
            [
                ("Jomtien Bay Congress Hall", "หอประชุมอ่าวจอมเทียน", "4,000", "message=1-answer&table=1&line=5"),
                ("Na Kluea Market Hall", "หอตลาดนาเกลือ", "700", "message=1-answer&table=1&line=6"),
                ("Bang Saray Pier Stage", "เวทีท่าเรือบางเสร่", "1500", "message=1-answer&table=1&line=7"),
            ],
        ),
        (
            "perplexity/api.json",
            [
                ("Krung Kao Hall", "หอกรุงเก่า", "950", "message=0&table=1&line=3"),
                ("Bang Pa-in Lake Pavilion", "ศาลาริมน้ำบางปะอิน", "300", "message=0&table=1&line=4"),
            ],
        ),
    ],
)
def test_the_tables_in_answers_are_records_without_the_marks_of_citations(
    name: str, venues: list[tuple[str, str, str, str]]
) -> None:
    records = sample_read(name).table(VENUES)
    assert [(row["name_en"], row["name_th"], row["capacity"], row["#"]) for row in records] == venues


@pytest.mark.parametrize(
    ("reader", "content", "code"),
    [
        ("chatgpt", b"[]", "no-message"),
        ("chatgpt", b'[{"mapping": {}}]', "no-message"),
        ("chatgpt", b'{"version": 1, "logical_files": {}}', "no-message"),
        ("chatgpt", sample("chatgpt/conversations.json")[:9000], "broken-json"),
        ("claude", b'[{"name": "c", "chat_messages": []}]', "no-message"),
        ("claude", sample("claude/conversations.json")[:-3], "broken-json"),
        ("gemini", b'[{"header": "Search", "title": "x", "products": ["Search"]}]', "no-message"),
        ("gemini", b"<html><body></body></html>", "no-message"),
        ("gemini", b'{"chunkedPrompt": {"chunks": []}}', "no-message"),
        ("gemini", b'{"chunkedPrompt": {"chunks": [', "broken-json"),
        ("perplexity", b'{"choices": []}', "no-message"),
        ("perplexity", b"", "no-message"),
        ("perplexity", b'[{"choices"', "broken-json"),
    ],
)
def test_an_export_without_a_message_is_never_a_success(reader: str, content: bytes, code: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        Read(reader, content)
    assert refused.value.code == code


@pytest.mark.skipif(not SHARED_EXPORTS.is_dir(), reason="the shared data folder is not beside this checkout")
def test_exports_of_others_are_read_with_nothing_lost() -> None:
    counts = {}
    for path in sorted(SHARED_EXPORTS.rglob("*")):
        if path.suffix not in (".json", ".html", ".md") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        kinds = [kind for kind, looks in LOOKS if looks(text, path.name)]
        if kinds:
            (kind,) = kinds
            read = Read(kind.split()[0], path.read_bytes())
            tables = Counter(item.table for item in read.found if isinstance(item, Item))
            key = f"{path.parent.parent.name}/{path.name}"
            counts[key] = (tables["messages"], tables["attachments"], tables["citations"], len(read.problems))
    assert counts == {
        "tests/MyActivity.json": (1, 0, 0, 2),
        "tests/conversations_chatgpt.json": (2, 0, 0, 0),
        "tests/conversations_claude.json": (2, 0, 0, 0),
        "chatgpt/sample-00.json": (3, 0, 0, 0),
        "chatgpt/sample-01.json": (4, 0, 0, 0),
        "claude-ai/sample-00.json": (3, 20, 14, 0),
        "claude-ai/sample-01.json": (6, 29, 41, 0),
    }


@pytest.mark.skipif(not SHARED_EXPORTS.is_dir(), reason="the shared data folder is not beside this checkout")
def test_activity_without_gemini_is_not_recognised_and_has_no_message() -> None:
    (page,) = SHARED_EXPORTS.rglob("MyActivity.html")
    assert not looks_like_gemini_activity_page(page.read_text(encoding="utf-8"), page.name)
    with pytest.raises(UnreadableError) as refused:
        Read("gemini", page.read_bytes())
    assert refused.value.code == "no-message"
