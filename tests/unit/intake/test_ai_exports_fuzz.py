"""Whatever an export holds, its reader ends in items or refuses it by name."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.readers.item import RECORDS, SEGMENTS, Item, UnreadableError
from tests.unit.intake.ai_export_reading import READERS, SAMPLE_KINDS, sample

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a JSON value with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in ((value, key), *_places(value[key]))]


def _ends_well(reader: str, content: bytes, encoding: str = "utf-8") -> None:
    """The items have the form that is promised, or the object is refused by name."""
    try:
        for item in READERS[reader](io.BytesIO(content), encoding):
            if isinstance(item, Item):
                assert item.shape == (SEGMENTS if item.table in ("messages", "projects") else RECORDS)
                assert all(value is None or isinstance(value, str) for value in item.values.values())
                "".join(value for value in item.values.values() if value).encode()
    except UnreadableError as refused:
        if refused.code not in ("no-message", "broken-json", "broken-html", "broken-text", "account-data"):
            raise


@pytest.mark.parametrize("reader", sorted(READERS))
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"[", b"{", b"<", b"# ", b'{"choices":[']))
@example(content=b"\xff\xfe", start=b"")
@example(content=b"[" * 3000, start=b"")
@example(content=b"<div>" * 3000, start=b"")
def test_any_bytes_end_in_items_or_a_refusal(reader: str, content: bytes, start: bytes) -> None:
    for encoding in ("utf-8", "utf-16", "cp874"):
        _ends_well(reader, start + content, encoding)


@pytest.mark.parametrize("name", [name for name in SAMPLE_KINDS if name.endswith(".json")])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_export_with_any_value_anywhere_ends_in_items_or_a_refusal(name: str, data: st.DataObject) -> None:
    export = json.loads(sample(name))
    for _ in range(data.draw(st.integers(1, 4))):
        places = _places(export)
        if not places:
            break
        container, key = data.draw(st.sampled_from(places))
        container[key] = data.draw(JSON_VALUES)
    _ends_well(name.split("/")[0], json.dumps(export).encode())


@pytest.mark.parametrize("name", ["gemini/MyActivity.html", "perplexity/thread.md", "perplexity/api.ndjson"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_text_with_any_piece_lost_or_put_in_ends_in_items_or_a_refusal(name: str, data: st.DataObject) -> None:
    content = sample(name)
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, min(len(content), begin + 200)))
    _ends_well(name.split("/")[0], content[:begin] + data.draw(st.binary(max_size=40)) + content[end:])


@given(text=st.text(alphabet="[]()^1: \n#*-hтtps:/.e", max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_markdown_is_a_thread_or_no_message(text: str) -> None:
    _ends_well("perplexity", b"# Q\n" + text.encode())
