"""The JSON of chat exports: streamed value by value, and read without trust in its types."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import ijson

from tenant_pipeline.intake.readers.item import UnreadableError

_HEAD = 4096


def as_map(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> Sequence[Any]:
    """An array, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str | None:
    """A text without the blanks around it; None for an empty one and for anything else."""
    return value.strip() or None if isinstance(value, str) else None


def utf8_stream(stream: BinaryIO, encoding: str) -> Any:
    """The stream from its beginning as UTF-8 without a byte order mark, whatever it is encoded in."""
    stream.seek(0)
    marked = stream.read(3) == codecs.BOM_UTF8
    stream.seek(3 if marked else 0)
    if marked or encoding.replace("_", "-") in ("", "utf-8", "utf-8-sig", "ascii"):
        return stream
    return codecs.EncodedFile(stream, "utf-8", encoding, "replace")


def first_character(stream: BinaryIO, encoding: str) -> str:
    """The first character that is no blank; "" where the stream's beginning has none."""
    return str(utf8_stream(stream, encoding).read(_HEAD).decode(errors="replace").lstrip("\ufeff \t\r\n")[:1])


def json_values(stream: BinaryIO, encoding: str, path: str = "") -> Iterator[Any]:
    """The values at an ijson path, one at a time. Raises UnreadableError where the file is no whole JSON."""
    try:
        yield from ijson.items(utf8_stream(stream, encoding), path, use_float=True)
    except (ijson.JSONError, UnicodeError):
        raise UnreadableError("broken-json", "The export is cut off or is not JSON; export it again.") from None


def json_elements(stream: BinaryIO, encoding: str) -> Iterator[Any]:
    """The elements of an array, or the one value that the file is. Raises UnreadableError as `json_values` does."""
    yield from json_values(stream, encoding, "item" if first_character(stream, encoding) == "[" else "")
