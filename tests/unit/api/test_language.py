"""The language of an answer is the one that the request likes best of those that there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.api.language import negotiated
from tenant_pipeline.core.sentences.reading import LANGUAGES


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("th", "th"),
        ("zh-Hans-CN", "zh"),
        ("TH-th,en;q=0.8", "th"),
        ("en;q=0.5, zh;q=0.9", "zh"),
        ("de, fr;q=0.9, th;q=0.1", "th"),
        ("th, zh", "th"),
        ("zh, th", "zh"),
        ("th;q=0.2, th-TH;q=0.9, zh;q=0.5", "th"),
        ("de", "en"),
        ("*", "en"),
        ("en;q=0, *", "th"),
        ("*;q=0.9, zh", "zh"),
        ("*, zh;q=0.5", "en"),
        ("en;q=0, th;q=0, zh;q=0", "en"),
        ("th;q=2, zh;q=0.3", "zh"),
        ("th;q=x;;, ,zh", "zh"),
    ],
)
def test_the_best_of_what_there_is(header: str, language: str) -> None:
    assert negotiated(header) == language


@given(st.text(st.characters(codec="latin-1")) | st.from_regex(r"([a-z*]{1,3}(;q=[01](\.\d)?)?,?)*", fullmatch=True))
def test_any_header_gives_a_language(header: str) -> None:
    assert negotiated(header) in LANGUAGES
