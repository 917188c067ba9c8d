"""A fuzz target for each reader, and what fuzzing once found: every input ends in items, problems or a refusal."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.formats import identify_format
from tenant_pipeline.intake.readers.item import Item, Problem, UnreadableError
from tenant_pipeline.intake.readers.registry import READERS
from tenant_pipeline.intake.text_encoding import text_encoding
from tests.hostile.documents import all_samples

CORPUS = Path(__file__).parent / "corpus"
LONGEST_SECONDS = 20
PIECES = (
    b'"', b"{}", b"[[", b"null,", b"<", b"]]>", b"&#0;", b"</table>", b"<table hidden>", b"{{", b"}}", b"{|\n!", b"==",
)  # fmt: skip
"""What opens, closes or hides something in one format or another."""


def _samples() -> dict[str, list[bytes]]:
    """Our samples by the reader that reads them."""
    found: dict[str, list[bytes]] = {name: [] for name in READERS}
    for name, content in all_samples():
        found[identify_format(io.BytesIO(content), name).reader].append(content)
    return found


SAMPLES = _samples()


def _read(reader: str, content: bytes) -> list[Item | Problem] | str:
    """All that a reader gives, or the code of its refusal. A reader that hangs is ended by an alarm."""
    previous = signal.signal(signal.SIGALRM, _hang)
    signal.alarm(LONGEST_SECONDS)
    try:
        return list(READERS[reader](io.BytesIO(content), text_encoding(content)[0]))
    except UnreadableError as refused:
        return refused.code
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _hang(number: int, frame: object) -> None:
    raise AssertionError("the reader hangs")


def test_each_reader_has_a_sample_to_mutate() -> None:
    assert [name for name, samples in SAMPLES.items() if not samples] == []


@st.composite
def _mutations(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    content = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 8))):
        position = draw(st.integers(0, len(content)))
        match draw(st.integers(0, 3)):
            case 0:
                del content[position : position + draw(st.integers(1, 64))]
            case 1:
                content[position:position] = draw(st.one_of(st.binary(max_size=16), st.sampled_from(PIECES)))
            case 2:
                content[position:position] = content[position : position + 64]
            case _:
                content[position : position + 1] = draw(st.binary(min_size=1, max_size=1))
    return bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_reader_ends_in_items_problems_or_a_refusal(reader: str, data: st.DataObject) -> None:
    anything = st.one_of(st.binary(max_size=400), st.text(max_size=300).map(str.encode))
    content = data.draw(_mutations(SAMPLES[reader]) if data.draw(st.booleans()) else anything)
    found = _read(reader, content)
    if isinstance(found, list):
        for each in found:
            assert isinstance(each, Item | Problem)
            assert each.locator
            if isinstance(each, Item):
                assert all(value is None or isinstance(value, str) for value in each.values.values())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.text(max_size=12))
@example(b"PK\x03\x04", "a.zip")
@example(b"\xef\xbb\xbf", "a.csv")
def test_the_format_of_anything_is_told_or_refused(content: bytes, path: str) -> None:
    try:
        found = identify_format(io.BytesIO(content), path)
    except UnreadableError:
        return
    assert found.reader in READERS
    assert 0 <= found.confidence <= 1


@pytest.mark.parametrize(
    "path", sorted(path for path in CORPUS.rglob("*") if path.is_file()), ids=lambda path: "/".join(path.parts[-2:])
)
def test_what_once_broke_a_reader_does_so_no_more(path: Path) -> None:
    _read(path.parent.name, path.read_bytes())
