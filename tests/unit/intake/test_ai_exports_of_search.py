"""Gemini and Perplexity exports are read as prompts and answers, with the pages that they cite."""

from __future__ import annotations

import json

import pytest

from tenant_pipeline.intake.readers.gemini_date import activity_moment
from tenant_pipeline.intake.readers.gemini_entry import prompt_in
from tests.unit.intake.ai_export_reading import Read, sample, sample_read


@pytest.mark.parametrize("name", ["gemini/MyActivity.json", "gemini/MyActivity.html"])
def test_gemini_activity_is_the_same_as_json_and_as_a_page(name: str) -> None:
    read = sample_read(name)
    list_answer = "ได้ถึงเวลา 22.00 น.\n\n- ที่จอดรถ 80 คัน\n- ไม่มีครัว"
    messages = read.table("messages")
    assert [(message["role"], message["created"], message["conversation"]) for message in messages] == [
        ("user", "2026-03-10T03:20:00+00:00", "2026-03-10T03:20:00+00:00"),
        ("assistant", "2026-03-10T03:20:00+00:00", "2026-03-10T03:20:00+00:00"),
        ("user", "2026-03-10T03:05:00+00:00", "2026-03-10T03:20:00+00:00"),
        ("assistant", "2026-03-10T03:05:00+00:00", "2026-03-10T03:20:00+00:00"),
        ("user", "2026-03-09T08:00:00+00:00", "2026-03-09T08:00:00+00:00"),
        ("assistant", "2026-03-09T08:00:00+00:00", "2026-03-09T08:00:00+00:00"),
    ]
    assert {message["grouping"] for message in messages} == {"inferred-by-time"}
    texts = [text for _, text in read.said]
    assert texts[:3] == ["ศาลาบึงแก่นจัดงานกลางคืนได้ไหม", list_answer, "List venues in Khon Kaen\nwith their capacity"]
    assert texts[4:] == ["孔敬丝绸博览会什么时候举行？", "十一月二十九日至十二月十日。"]
    assert [(row["name"], row["#"]) for row in read.table("attachments")] == [
        ("khon-kaen.png", "message=1-prompt&attachment=1")
    ]
    assert [(row["url"], row["title"], row["#"]) for row in read.table("citations")] == [
        ("https://mekong-expo.example/halls", "Mekong Isan Expo Centre halls", "message=1-answer&citation=1")
    ]


def test_gemini_entries_of_other_products_and_of_things_done_are_problems() -> None:
    assert sample_read("gemini/MyActivity.json").problems == [
        ("other-product", "message=2"),
        ("not-a-prompt", "message=3-prompt"),
    ]
    assert sample_read("gemini/MyActivity.html").problems == [("other-product", "message=2")]


@pytest.mark.parametrize(
    ("title", "prompt"),
    [
        ("Prompted\xa0Where?", "Where?"),
        ("Asked Gemini: Where?", "Where?"),
        ("ถาม ที่ไหน", "ที่ไหน"),
        ("ถามว่าที่ไหน", "ที่ไหน"),
        ("ป้อนพรอมต์: ที่ไหน", "ที่ไหน"),
        ("提示了在哪里", "在哪里"),
        ("已输入提示：在哪里", "在哪里"),
        ("問題在哪裡？", "問題在哪裡？"),
        ("送信したメッセージ: どこ", "どこ"),
        ("Eingabe ohne bekanntes Verb", "Eingabe ohne bekanntes Verb"),
        ("Used Gemini Apps", None),
        ("ใช้แอป Gemini", None),
        ("使用了 Gemini", None),
        ("", None),
    ],
)
def test_the_prompt_is_what_follows_the_verb_in_any_language(title: str, prompt: str | None) -> None:
    assert prompt_in(title) == prompt


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("Nov 13, 2025, 9:50:57\u202fAM CDT", "2025-11-13T14:50:57+00:00"),
        ("13 Nov 2025, 21:50:57 GMT+07:00", "2025-11-13T14:50:57+00:00"),
        ("1 ก.พ. 2567 08:30:00 GMT+07:00", "2024-02-01T01:30:00+00:00"),
        ("1 กุมภาพันธ์ 2567 เวลา 08:30:00 GMT+7", "2024-02-01T01:30:00+00:00"),
        ("2024年2月1日 GMT+8 08:30:00", "2024-02-01T00:30:00+00:00"),
        ("2024年2月1日下午3:04:05 GMT+08:00", "2024-02-01T07:04:05+00:00"),
        ("13 Nov 2025, 09:50:57 XYZT", "2025-11-13T09:50:57"),
        ("Doors open at 10:30", None),
        ("2024年2月1日", None),
    ],
)
def test_dates_of_activity_are_read_in_three_languages(line: str, moment: str | None) -> None:
    assert activity_moment(line) == moment


def test_ai_studio_leaves_out_thoughts_instructions_and_what_was_not_sent() -> None:
    read = sample_read("gemini/ai-studio-prompt.json")
    assert [role for role, _ in read.said] == ["user", "assistant"]
    assert read.problems == [
        ("hidden-message", "message=system"),
        ("message-without-text", "message=1"),
        ("hidden-message", "message=2"),
    ]
    assert [(row["url"], row["#"]) for row in read.table("citations")] == [
        ("https://hatyai-hall.example/en", "message=3&citation=1")
    ]
    pending = {"chunkedPrompt": {"chunks": [{"role": "user", "text": "a"}], "pendingInputs": [{"text": "b"}]}}
    assert Read("gemini", json.dumps(pending).encode()).problems == [("unsent-message", "message=pending-0")]


def test_a_perplexity_thread_is_questions_and_answers_each_with_its_own_footnotes() -> None:
    read = sample_read("perplexity/thread.md")
    assert [(message["#"], message["role"]) for message in read.table("messages")] == [
        ("message=1-question", "user"),
        ("message=1-answer", "assistant"),
        ("message=2-question", "user"),
        ("message=2-answer", "assistant"),
    ]
    assert read.said[0][1] == "Which venues in Pattaya can hold a congress?"
    assert read.said[1][1].endswith("## Access\n\nThe congress hall has its own pier.")  # type: ignore[union-attr]
    assert read.said[3][1] == "音乐节通常在三月举行。今年在邦萨雷码头舞台举行。"
    assert [(row["url"], row["title"], row["#"]) for row in read.table("citations")] == [
        ("https://jomtien-congress.example/halls", None, "message=1-answer&citation=1"),
        ("https://nakluea.example/halls", "Na Kluea and its halls", "message=1-answer&citation=2"),
        ("https://pattaya-music.example/zh", None, "message=2-answer&citation=1"),
    ]


def test_a_perplexity_thread_with_named_questions_and_a_list_of_citations() -> None:
    read = sample_read("perplexity/thread-with-sources.md")
    assert read.said == [
        ("user", "ศูนย์ประชุมใดในอุดรธานีรองรับคนได้มากที่สุด"),
        ("assistant", "Nong Prajak Convention Centre (ศูนย์ประชุมหนองประจักษ์) seats 2,800 people."),
    ]
    assert read.table("messages")[0]["conversation"] == "ศูนย์ประชุมในอุดรธานี"
    assert [(row["url"], row["title"]) for row in read.table("citations")] == [
        ("https://nongprajak.example/about", None),
        ("https://udon-venues.example/guide", "Udon Thani venue guide"),
    ]


@pytest.mark.parametrize(
    ("thread", "said"),
    [
        ("Halls are few [1].\n\nCitations:\n[1] https://a.example/x\n", [("assistant", "Halls are few.")]),
        ("# Halls\n## Which?\nThis one.\n## And then?\nThat one.\n",
         [("user", "Which?"), ("assistant", "This one."), ("user", "And then?"), ("assistant", "That one.")]),
        ("**User:** Which?\n\n**Perplexity:** This one ([1](https://a.example)).\n",
         [("user", "Which?"), ("assistant", "This one.")]),
        ("# Which?\n```\n# not a question\n```\n", [("user", "Which?"), ("assistant", "```\n# not a question\n```")]),
        ("## คำถาม\n\nที่ใด\n\nที่นี่\n", [("user", "ที่ใด"), ("assistant", "ที่นี่")]),
    ],
)  # fmt: skip
def test_threads_are_read_in_the_forms_that_people_copy_them(thread: str, said: list[tuple[str, str]]) -> None:
    assert Read("perplexity", thread.encode()).said == said


def test_text_before_the_first_question_is_counted_and_a_source_without_a_page_stays_text() -> None:
    thread = (
        "Copied on Monday.\n\n# Which?\n\nThis one.\n\n**Sources:**\n1. [Hall](https://h.example/(a))\n2. A leaflet\n"
    )
    read = Read("perplexity", thread.encode())
    assert read.problems == [("text-before-question", "line=1")]
    assert read.said[1] == ("assistant", "This one.\n\n2. A leaflet")
    assert [(row["url"], row["title"]) for row in read.table("citations")] == [("https://h.example/(a)", "Hall")]


def test_perplexity_responses_are_read_with_titles_and_snippets_of_what_they_cite() -> None:
    read = sample_read("perplexity/api.json")
    assert [(message["#"], message["role"], message["conversation"]) for message in read.table("messages")] == [
        ("message=0-asked-2", "user", "ขอตารางสถานที่จัดงานในอยุธยา"),
        ("message=0", "assistant", "ขอตารางสถานที่จัดงานในอยุธยา"),
    ]
    assert read.problems == [("hidden-message", "message=0-asked-1")]
    assert [(row["url"], row["title"], row["cited_text"], row["#"]) for row in read.table("citations")] == [
        ("https://ayutthaya-halls.example/list", "Halls of Ayutthaya", "Krung Kao Hall: 950 seats.",
         "message=0&citation=1"),
        ("https://bangpain.example/pavilion", "ศาลาบางปะอิน", None, "message=0&citation=2"),
    ]  # fmt: skip


def test_perplexity_responses_come_alone_in_a_list_or_one_a_line() -> None:
    response = json.loads(sample("perplexity/api.json"))
    alone = Read("perplexity", json.dumps(response).encode()).said
    assert Read("perplexity", json.dumps([response, response]).encode()).said == alone * 2
    lines = Read("perplexity", sample("perplexity/api.ndjson") + b"{broken\n")
    assert lines.said[:2] == alone
    assert lines.said[2:] == [
        ("user", "And in Saraburi?"),
        ("assistant", "Only the หอประชุมแก่งคอย (Kaeng Khoi Hall), with 450 seats."),
    ]
    assert lines.problems[1:] == [("hidden-block", "message=line-2&block=1"), ("broken-line", "line=3")]


def test_further_choices_of_a_response_are_alternatives() -> None:
    choices = [{"message": {"role": "assistant", "content": text}} for text in ("one", "two")]
    messages = Read("perplexity", json.dumps({"choices": choices, "citations": []}).encode()).table("messages")
    assert [(message["text"], message["branch"]) for message in messages] == [
        ("one", "current"),
        ("two", "alternative"),
    ]
