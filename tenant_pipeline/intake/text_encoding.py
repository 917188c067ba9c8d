"""The encoding of a text, found from its bytes: marks first, then what decodes and reads as a language."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

from charset_normalizer import from_bytes

LONGEST_CHARACTER = 4
SAMPLE_BYTES = 64 * 1024
ODD_BYTES = "decode-odd-bytes-as-latin"
"""Name of the error handler for bytes that do not belong to their text's encoding: none is dropped or replaced."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    odd = error.object[error.start : error.end]
    try:
        return odd.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return odd.decode("latin-1"), error.end


codecs.register_error(ODD_BYTES, _as_latin)


def text_encoding(head: bytes) -> tuple[str, float]:
    """The encoding of a text that begins with `head`, and how sure that is, 0–1."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, 1.0
    wide = _without_mark(head)
    if wide is not None:
        return wide, 0.9
    if _decodes(head, "utf-8"):
        return "utf-8", 1.0
    if _is_utf8_with_odd_bytes(head):
        return "utf-8", 0.8
    if _reads_as_chinese(head):
        return "gb18030", 0.9
    high = sum(byte >= 0x80 for byte in head)
    thai = sum(0xA1 <= byte <= 0xDA or 0xDF <= byte <= 0xFB for byte in head)
    if high and thai / high > 0.98 and _reads_as_thai(head):
        return "cp874", 0.9
    best = from_bytes(head[:SAMPLE_BYTES]).best()
    return (best.encoding, max(0.1, 1.0 - best.chaos)) if best is not None else ("latin-1", 0.1)


def text_lines(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The stream as text, line by line, ends of lines as they are. No byte is lost: see `ODD_BYTES`."""
    return io.TextIOWrapper(stream, encoding=encoding, errors=ODD_BYTES, newline="")


def text_of_bytes(data: bytes, encoding: str) -> str:
    """The bytes as text, as `text_lines` would read them."""
    return data.decode(encoding, errors=ODD_BYTES)


def as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """The stream in UTF-8, for parsers that read nothing else; one in another encoding is held in memory."""
    if encoding in ("", "ascii", "utf-8", "utf-8-sig"):
        return stream
    return io.BytesIO(text_of_bytes(stream.read(), encoding).encode("utf-8", "surrogatepass"))


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its ASCII characters is zero."""
    sample = head[: SAMPLE_BYTES // 2 * 2]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd > 0.2 * half and even < 0.02 * half:
        return "utf-16-le"
    if even > 0.2 * half and odd < 0.02 * half:
        return "utf-16-be"
    return None


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether the bytes decode, except for a character that the head ends within."""
    for cut in range(LONGEST_CHARACTER):
        try:
            head[: len(head) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _is_utf8_with_odd_bytes(head: bytes) -> bool:
    """Whether nearly all bytes beyond ASCII are whole UTF-8 characters: a file put together from several."""
    high = sum(byte >= 0x80 for byte in head)
    odd = head.decode("utf-8", errors="replace").count("\ufffd")
    return high > 20 and odd < 0.05 * high


def _reads_as_chinese(head: bytes) -> bool:
    """Whether high bytes come in pairs, nearly all led by a byte of GB 2312's Han characters or punctuation.

    Thai in one byte a letter has runs of odd length as often as of even.
    """
    runs = re.findall(rb"[\x80-\xff]+", head)
    leads = [lead for run in runs for lead in run[::2]]
    even = sum(len(run) % 2 == 0 for run in runs)
    han = sum(0xB0 <= lead <= 0xF7 or lead in (0xA1, 0xA3) for lead in leads)
    return bool(runs) and even > 0.95 * len(runs) and han > 0.9 * len(leads) and _decodes(head, "gb18030")


def _reads_as_thai(head: bytes) -> bool:
    """Whether the bytes as Thai have no vowel sign or tone mark where none can stand."""
    text = head.decode("cp874", errors="replace")
    marks = [
        position
        for position, character in enumerate(text)
        if "\u0e34" <= character <= "\u0e3a" or "\u0e47" <= character <= "\u0e4e"
    ]
    placed = sum(position > 0 and "\u0e01" <= text[position - 1] <= "\u0e4e" for position in marks)
    return bool(marks) and placed / len(marks) > 0.95
