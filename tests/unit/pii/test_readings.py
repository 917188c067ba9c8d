"""A text's other readings show what hides in it, and lead back to where it stands."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.standardise.characters import clean
from tenant_pipeline.pii.readings import HIDING, other_readings, revealed, seen, seen_values

HIDDEN = "\u200b\u00ad\u2063\ufeff\u202a\u2066\u180e\u061c\u0007\x00\x7f\x86\U000e0020"
texts = st.text("ab0@.% 4F\u0e2a\u738b\u00e9" + HIDDEN, max_size=40)


@given(text=st.text("ab0@. \u0e2a\u738b" + HIDDEN, max_size=40), rounds=st.integers(0, 3))
def test_what_was_hidden_is_read(text: str, rounds: int) -> None:
    escaped = text
    for _ in range(rounds):
        escaped = quote(escaped, safe="")
    assert revealed(escaped) == seen(text)
    assert clean(seen(text)) == clean(text)


@given(text=texts)
def test_each_character_of_a_reading_leads_to_where_it_stands(text: str) -> None:
    for reading in other_readings(text):
        assert len(reading.text) == len(reading.starts) == len(reading.ends)
        for position, character in enumerate(reading.text):
            start, end = reading.place(position, position + 1)
            assert revealed(text[start:end]) == character or not reading.decoded or character == "\ufffd"
            if not reading.decoded:
                assert text[start:end] == character
        assert all(end <= start for (_, end), (start, _) in pairwise(zip(reading.starts, reading.ends, strict=True)))


@given(texts=st.lists(texts, max_size=5))
def test_a_column_is_read_as_its_texts_are(texts: list[str]) -> None:
    column = pa.array([*texts, None], type=pa.string())
    assert seen_values(column).to_pylist() == [*map(seen, texts), None]
    hiding = pc.match_substring_regex(column, HIDING).to_pylist()
    assert [text for text, hides in zip(texts, hiding, strict=False) if not hides and any(other_readings(text))] == []


@pytest.mark.parametrize("text", ["", "100 %", "plain", "50%of", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35"])
def test_where_nothing_hides_there_is_no_other_reading(text: str) -> None:
    assert list(other_readings(text)) == []
    assert revealed(text) == text
