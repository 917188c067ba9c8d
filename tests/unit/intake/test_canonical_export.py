"""What is promised about canonical exports: read as they were written, and refused when they are not that any more."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.canonical_export import STATEMENT_FIELDS, export_lines
from tenant_pipeline.intake.readers import canonical_export
from tenant_pipeline.intake.readers.canonical_export import looks_like_canonical_export, read_canonical_export
from tenant_pipeline.intake.readers.item import STATEMENTS, Item, Problem, UnreadableError

AT = "2026-05-01T00:00:00+00:00"


def statement(**said: Any) -> dict[str, Any]:
    return {**dict.fromkeys(STATEMENT_FIELDS, ""), "entity": "can-1", "type": "Place", "provenance": [], **said}


TWO = [
    statement(property="name", value="หาดป่าตอง", raw_value=" หาดป่าตอง ", lang="th", datatype="name"),
    statement(property="geo", value="7.896000,98.297000", datatype="geo", valid_from="2020"),
]


def export(statements: list[dict[str, Any]], count: int | None = None) -> bytes:
    return b"".join(export_lines("a-tenant", AT, len(statements) if count is None else count, statements))


def read(content: bytes) -> list[Item | Problem]:
    return list(read_canonical_export(io.BytesIO(content), "utf-8"))


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableError) as caught:
        read(content)
    return caught.value.code


def test_each_line_is_a_statement_at_its_line() -> None:
    assert read(export(TWO)) == [
        Item(
            "statements",
            "line=2",
            {
                "entity": "can-1", "type": "Place", "property": "name", "value": "หาดป่าตอง",
                "raw_value": " หาดป่าตอง ", "lang": "th", "datatype": "name", "valid_from": None, "valid_to": None,
                "ai": None,
            },
            STATEMENTS,
        ),
        Item(
            "statements",
            "line=3",
            {
                "entity": "can-1", "type": "Place", "property": "geo", "value": "7.896000,98.297000",
                "raw_value": None, "lang": None, "datatype": "geo", "valid_from": "2020", "valid_to": None,
                "ai": None,
            },
            STATEMENTS,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("tiers", "ai"), [([5], "true"), ([5, 5], "true"), ([2, 5], None), ([], None), (["5"], None)])
def test_what_only_an_ai_says_stays_an_ais_word(tiers: list[Any], ai: str | None) -> None:
    (item,) = read(export([statement(value="x", provenance=[{"authority_tier": tier} for tier in tiers])]))
    assert isinstance(item, Item)
    assert item.values["ai"] == ai


def test_an_export_cut_anywhere_is_refused() -> None:
    whole = export(TWO)
    header = whole.index(b"\n") + 1
    for end in range(header, len(whole)):
        assert refusal(whole[:end]) == "canonical-export-truncated"


@pytest.mark.parametrize(
    ("before", "after"), [(b"7.896000", b"7.896001"), (b'"statements":2,"sha', b'"statements":3,"sha')]
)
def test_an_altered_export_is_refused(before: bytes, after: bytes) -> None:
    whole = export(TWO)
    assert whole.count(before) == 1
    assert refusal(whole.replace(before, after)) == "canonical-export-altered"


def test_a_statement_taken_out_or_said_twice_is_refused() -> None:
    lines = export(TWO).splitlines(keepends=True)
    assert refusal(b"".join([lines[0], lines[1], lines[3]])) == "canonical-export-altered"
    assert refusal(b"".join([*lines[:3], lines[2], lines[3]])) == "canonical-export-altered"
    assert refusal(b"".join([lines[0], lines[2], lines[1], lines[3]])) == "canonical-export-altered"


def test_something_behind_the_last_line_is_refused() -> None:
    assert refusal(export(TWO) + b"{}\n") == "canonical-export-truncated"


def test_a_header_that_counts_otherwise_is_refused() -> None:
    assert refusal(export(TWO, count=3)) == "canonical-export-altered"


@pytest.mark.parametrize("version", ["2.0.0", "", "0.9"])
def test_a_version_with_other_rules_is_refused(version: str) -> None:
    content = export(TWO).replace(b'"version":"1.1.0"', f'"version":"{version}"'.encode())
    assert refusal(content) == "canonical-export-version"


@pytest.mark.parametrize("version", [b"1.0.0", b"1.7.0"])
def test_another_version_of_the_same_rules_is_read(version: bytes) -> None:
    assert len(read(export(TWO).replace(b'"version":"1.1.0"', b'"version":"%s"' % version))) == 2


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[]", b"\xff\xfe", b'{"format":"other"}\n'])
def test_what_has_no_header_is_refused(content: bytes) -> None:
    assert refusal(content) == "not-a-canonical-export"


@pytest.mark.parametrize("value", [None, 5, ["a"], "a\0b", "\ud800"])
def test_a_line_that_is_no_statement_is_a_problem_and_the_rest_goes_on(value: Any) -> None:
    lines = export([statement(value="PLACE"), *TWO[1:]]).splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"PLACE"', json.dumps(value).encode())
    first, second = _resealed(lines)
    assert isinstance(first, Problem)
    assert (first.locator, first.code) == ("line=2", "broken-statement")
    assert isinstance(second, Item)
    assert second.locator == "line=3"


def _resealed(lines: list[bytes]) -> list[Item | Problem]:
    """What is read where somebody writes such lines and closes the export properly."""
    trailer = json.loads(lines[-1])
    trailer["sha256"] = hashlib.sha256(b"".join(lines[1:-1])).hexdigest()
    return read(b"".join([*lines[:-1], json.dumps(trailer).encode() + b"\n"]))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical_export, "LONGEST_LINE", 2_000)
    content = export([statement(value="x" * 3_000)])
    assert refusal(content) == "canonical-export-line-too-long"


def test_an_export_is_known_by_its_first_line_alone() -> None:
    assert looks_like_canonical_export(export(TWO).decode(), "anything")
    assert not looks_like_canonical_export('{"entity":"can-1"}\n' + export(TWO).decode(), "export.ndjson")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5))
@settings(max_examples=60, deadline=None)
def test_every_text_comes_back_as_it_was_written(texts: list[str]) -> None:
    found = read(export([statement(value=text) for text in texts]))
    assert [item.values["value"] for item in found if isinstance(item, Item)] == [text or None for text in texts]


@given(st.binary() | st.tuples(st.integers(0, 700), st.binary(max_size=8)))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_is_read_or_refused(given_: bytes | tuple[int, bytes]) -> None:
    whole = export(TWO)
    content = given_ if isinstance(given_, bytes) else whole[: given_[0]] + given_[1] + whole[given_[0] + 4 :]
    with suppress(UnreadableError):
        assert all(isinstance(each, Item | Problem) for each in read(content))
