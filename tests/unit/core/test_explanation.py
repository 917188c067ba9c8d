"""An explanation reads the same in Markdown and as a page, and nothing in it is ever run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from markdown_it import MarkdownIt

from tenant_pipeline.core.explanation import Explanation, ExplanationTable

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) ![p](https://a.example/p.png) | `code` *b*"


def _told(text: str) -> Explanation:
    return Explanation(text, "warn", (text,), (ExplanationTable(text, ("what",), ((text,),)),), ("Run `it`.",))


def test_what_sources_say_is_shown_as_text_on_the_page() -> None:
    page = html.fromstring(_told(HOSTILE).as_html())
    assert not page.xpath("//script | //img | //a")
    assert page.text_content().count(HOSTILE) >= 4
    assert page.xpath("//li/code/text()") == ["it"]


def test_what_sources_say_is_shown_as_text_in_markdown() -> None:
    rendered = html.fromstring(MarkdownIt("commonmark").enable("table").render(_told(HOSTILE).as_markdown()))
    assert not rendered.xpath("//script | //img | //a | //em")
    (cell,) = rendered.xpath("//td")
    assert " ".join(cell.text_content().split()) == HOSTILE


def test_a_table_without_rows_is_left_out() -> None:
    told = Explanation("T", "pass", ("All is well.",), (ExplanationTable("Empty", ("what",), ()),))
    assert "Empty" not in told.as_markdown()
    assert "Empty" not in told.as_html()
    assert "What can be done" not in told.as_markdown()


@given(st.text(max_size=40))
def test_any_text_makes_one_row_of_one_cell(text: str) -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(_told(text).as_markdown())
    assert rendered.count("<td>") == 1
    assert rendered.count("<script") == 0
