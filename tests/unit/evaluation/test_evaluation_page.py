"""The drawn evaluation: complete, and safe to open whatever the gold data holds."""

from __future__ import annotations

from lxml import html

from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.page import drawn
from tenant_pipeline.evaluation.report import Evaluation, Measured, WorstError

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def _page(measured: Measured) -> html.HtmlElement:
    return html.fromstring(drawn([Evaluation("pii", (measured,), (HOSTILE,))]))


def test_what_gold_data_holds_is_shown_as_text_and_never_run() -> None:
    page = _page(
        Measured(
            HOSTILE,
            Counts(1, 1, 1),
            {HOSTILE: Counts(1, 0, 0)},
            {HOSTILE: {HOSTILE: Counts(1, 0, 0)}},
            {HOSTILE: HOSTILE},
            (WorstError(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
            (HOSTILE,),
        )
    )
    assert not page.xpath("//script | //img | //@onerror")
    assert page.text_content().count(HOSTILE) >= 10


def test_every_score_is_drawn_for_us_and_for_each_peer() -> None:
    page = _page(Measured("own", Counts(8, 2, 4), {"plain": Counts(5, 5, 7)}))
    assert len(page.xpath("//*[name()='circle']")) == 6
    texts = [text.text_content() for text in page.xpath("//*[name()='text']")]
    assert {"precision, ours", "recall, plain", "0.800", "0.667"} <= set(texts)


def test_a_data_set_of_figures_alone_has_no_empty_drawing() -> None:
    page = _page(Measured("own", Counts(), figures={"share resolved": 0.9}))
    assert not page.xpath("//*[name()='svg']")
    assert "0.9000" in page.text_content()
