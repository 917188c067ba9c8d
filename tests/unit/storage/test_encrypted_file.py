"""What is promised about encrypted files: every byte comes back from any position, and no change goes unseen."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.storage.encrypted_file import (
    CHUNK_BYTES,
    HEADER_BYTES,
    SEALED_BYTES,
    EncryptedWriter,
    open_encrypted,
)

KEY, NAME = b"k" * 32, b"n" * 32

sizes = st.one_of(
    st.integers(0, 300),
    st.builds(lambda chunks, off: max(0, chunks * CHUNK_BYTES + off), st.integers(0, 4), st.integers(-2, 2)),
    st.integers(0, 5 * CHUNK_BYTES),
)


def content_of(size: int) -> bytes:
    """Bytes whose every chunk differs."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def sealed(content: bytes, *, pieces: tuple[int, ...] = (), name: bytes = NAME, key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    writer = EncryptedWriter(target, key)
    start = 0
    for length in pieces:
        writer.write(content[start : start + length])
        start += length
    writer.write(content[start:])
    writer.finish(name)
    return target.getvalue()


def opened(file: bytes, *, name: bytes = NAME, key: bytes = KEY) -> bytes:
    with open_encrypted(io.BytesIO(file), key, name, "test") as stream:
        return stream.read()


@settings(max_examples=80, deadline=None)
@given(size=sizes, pieces=st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=6))
def test_what_is_written_in_any_pieces_is_read_back(size: int, pieces: list[int]) -> None:
    content = content_of(size)
    file = sealed(content, pieces=tuple(pieces))
    assert opened(file) == content
    assert len(file) == HEADER_BYTES + size + 16 * max(1, -(-size // CHUNK_BYTES))


@settings(max_examples=80, deadline=None)
@given(
    size=sizes,
    moves=st.lists(
        st.tuples(st.integers(0, 5 * CHUNK_BYTES), st.sampled_from([0, 1, 7, 5000, 70_000, -1])), max_size=8
    ),
)
def test_any_seek_and_read_is_a_slice(size: int, moves: list[tuple[int, int]]) -> None:
    content = content_of(size)
    reference = io.BytesIO(content)
    with open_encrypted(io.BytesIO(sealed(content)), KEY, NAME, "test") as stream:
        for position, length in moves:
            assert stream.seek(position) == reference.seek(position)
            assert stream.read(length) == reference.read(length)
            assert stream.tell() == reference.tell()
        assert stream.seek(0, io.SEEK_END) == size


@settings(max_examples=150, deadline=None)
@given(size=sizes, data=st.data())
def test_any_flipped_bit_is_noticed(size: int, data: st.DataObject) -> None:
    file = bytearray(sealed(content_of(size)))
    edges = st.sampled_from([0, 4, HEADER_BYTES - 1, HEADER_BYTES, len(file) - 1])
    position = data.draw(st.one_of(edges, st.integers(0, len(file) - 1)))
    file[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityError):
        opened(bytes(file))


@settings(max_examples=150, deadline=None)
@given(size=sizes, data=st.data())
def test_any_truncation_is_noticed_on_opening(size: int, data: st.DataObject) -> None:
    file = sealed(content_of(size))
    at_chunks = [HEADER_BYTES + number * SEALED_BYTES for number in range(len(file) // SEALED_BYTES + 1)]
    kept = data.draw(st.one_of(st.sampled_from(at_chunks), st.integers(0, len(file) - 1)))
    if kept < len(file):
        with pytest.raises(IntegrityError):
            open_encrypted(io.BytesIO(file[:kept]), KEY, NAME, "test")


@settings(max_examples=40, deadline=None)
@given(size=sizes, added=st.sampled_from([b"x", b"x" * 16, b"x" * SEALED_BYTES]))
def test_any_addition_is_noticed_on_opening(size: int, added: bytes) -> None:
    with pytest.raises(IntegrityError):
        open_encrypted(io.BytesIO(sealed(content_of(size)) + added), KEY, NAME, "test")


def _chunks(file: bytes) -> list[bytes]:
    return [file[start : start + SEALED_BYTES] for start in range(HEADER_BYTES, len(file), SEALED_BYTES)]


@pytest.mark.parametrize(
    "order", [(1, 0, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2), (0, 0, 2, 3), (0, 1, 3), (1, 2, 3), (0, 1, 2, 3, 3)]
)
def test_chunks_that_were_moved_repeated_or_dropped_are_noticed(order: tuple[int, ...]) -> None:
    file = sealed(content_of(4 * CHUNK_BYTES))
    chunks = _chunks(file)
    with pytest.raises(IntegrityError):
        opened(file[:HEADER_BYTES] + b"".join(chunks[number] for number in order))


def test_chunks_and_headers_of_another_file_are_noticed() -> None:
    content = content_of(3 * CHUNK_BYTES)
    one, other = sealed(content), sealed(content)
    assert one != other
    spliced = (
        other[:HEADER_BYTES] + one[HEADER_BYTES:],
        one[: HEADER_BYTES + SEALED_BYTES] + other[HEADER_BYTES + SEALED_BYTES :],
    )
    for file in spliced:
        with pytest.raises(IntegrityError):
            opened(file)


def test_a_file_cannot_be_opened_under_another_name_or_key() -> None:
    file = sealed(b"content")
    for name, key in ((b"m" * 32, KEY), (NAME, b"j" * 32)):
        with pytest.raises(IntegrityError):
            open_encrypted(io.BytesIO(file), key, name, "test")


def test_the_source_is_closed_with_the_stream_and_when_opening_fails() -> None:
    whole, broken = io.BytesIO(sealed(b"content")), io.BytesIO(b"no such file")
    open_encrypted(whole, KEY, NAME, "test").close()
    with pytest.raises(IntegrityError):
        open_encrypted(broken, KEY, NAME, "test")
    assert whole.closed
    assert broken.closed


def test_nothing_of_the_content_is_in_the_file() -> None:
    content = b"081-234-5678 " * 10_000
    file = sealed(content)
    assert b"081-234" not in file
    assert sealed(content)[HEADER_BYTES:] != file[HEADER_BYTES:]
