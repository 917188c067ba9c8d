"""The listings of a real travel guide, held against another parser's output for the same page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.extraction import evaluate
from tenant_pipeline.evaluation.extraction.travel_guide import FOLDER, left_raw, read_guide
from tenant_pipeline.intake.readers.item import RECORDS, SEGMENTS, Item
from tenant_pipeline.intake.readers.wikitext import looks_like_wikitext, read_wikitext

SHARED_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
GUIDE = SHARED_DATA / FOLDER
pytestmark = pytest.mark.skipif(not GUIDE.is_dir(), reason="the shared travel guide is not beside this checkout")


def test_every_listing_is_found_with_all_its_fields_and_nothing_else_is_taken_for_one() -> None:
    records, fields = evaluate(SHARED_DATA, peers=False).measured[:2]
    assert records.ours == Counts(44, 0, 0)
    assert fields.ours == Counts(247, 0, 0)


def test_listings_that_the_other_parser_left_raw_are_found_too() -> None:
    raw = left_raw(read_guide(GUIDE))
    assert len(raw) == 41
    assert raw <= {item.values["name"] for item in _read()}


def test_the_guide_is_known_as_wikitext_and_its_prose_repeats_no_listing() -> None:
    text = (GUIDE / "boston_input.txt").read_text()
    assert looks_like_wikitext(text, "boston_input.txt")
    with (GUIDE / "boston_input.txt").open("rb") as stream:
        prose = " ".join(
            str(item.values["text"])
            for item in read_wikitext(stream, "utf-8")
            if isinstance(item, Item) and item.shape == SEGMENTS
        )
    descriptions = [item.values["description"] for item in _read() if item.values.get("description")]
    assert len(descriptions) >= 25
    assert not [description for description in descriptions if str(description) in prose]


def _read() -> list[Item]:
    with (GUIDE / "boston_input.txt").open("rb") as stream:
        items = [item for item in read_wikitext(stream, "utf-8") if isinstance(item, Item)]
    return [item for item in items if item.shape == RECORDS and "listing=" in item.locator and "kind" in item.values]
