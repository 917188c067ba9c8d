"""The JSON of chat exports: streamed value by value, and read without trust in its types."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import ijson

from tenant_pipeline.intake.readers.item import UnreadableError

_HEAD = 4096
_BLOCK = 64 * 1024


def as_map(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> Sequence[Any]:
    """An array, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str | None:
    """A text without the blanks around it; None for an empty one and for anything else."""
    return value.strip() or None if isinstance(value, str) else None


class _Recoded(io.RawIOBase):
    """A stream of any encoding as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._held = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held and not self._ended:
            read = self._stream.read(_BLOCK)
            self._ended = not read
            try:
                self._held = self._decoder.decode(read, self._ended).encode(errors="replace")
            except UnicodeError:
                raise UnreadableError(
                    "broken-text", "The file is not in the encoding that its beginning says."
                ) from None
        given = self._held[: len(buffer)]
        buffer[: len(given)] = given
        self._held = self._held[len(given) :]
        return len(given)


def utf8_stream(stream: BinaryIO, encoding: str) -> BinaryIO:
    """The stream from its beginning as UTF-8 without a byte order mark, whatever it is encoded in. Reading it raises
    UnreadableError where it is not in that encoding."""
    stream.seek(0)
    marked = stream.read(3) == codecs.BOM_UTF8
    stream.seek(3 if marked else 0)
    if marked or encoding.replace("_", "-") in ("", "utf-8", "utf-8-sig", "ascii"):
        return stream
    return io.BufferedReader(_Recoded(stream, encoding), _BLOCK)


def first_character(stream: BinaryIO, encoding: str) -> str:
    """The first character that is no blank; "" where the stream's beginning has none."""
    head = utf8_stream(stream, encoding).read(_HEAD).decode(errors="replace")
    return head.lstrip("\ufeff \t\r\n")[:1]


def json_values(stream: BinaryIO, encoding: str, path: str = "") -> Iterator[Any]:
    """The values at an ijson path, one at a time. Raises UnreadableError where the file is no whole JSON."""
    try:
        yield from ijson.items(utf8_stream(stream, encoding), path, use_float=True)
    except (ijson.JSONError, UnicodeError):
        raise UnreadableError("broken-json", "The export is cut off or is not JSON; export it again.") from None


def json_elements(stream: BinaryIO, encoding: str) -> Iterator[Any]:
    """The elements of an array, or the one value that the file is. Raises UnreadableError as `json_values` does."""
    yield from json_values(stream, encoding, "item" if first_character(stream, encoding) == "[" else "")
