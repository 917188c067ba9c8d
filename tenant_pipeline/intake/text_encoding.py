"""The encoding of a text, found from its bytes: marks first, then what decodes and reads as a language."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, BinaryIO

from charset_normalizer import from_bytes

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 256 * 1024
LONGEST_CHARACTER = 4
SAMPLE_BYTES = 64 * 1024
ENOUGH_BEYOND_ASCII = 200
"""A head with fewer bytes beyond ASCII does not tell the encoding of what follows."""
PASSAGE_BYTES = 4 * 1024
ODD_BYTES = "decode-odd-bytes-as-latin"
"""Name of the error handler for bytes that do not belong to their text's encoding: none is dropped or replaced."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_UP_TO_SEPARATOR = re.compile(rb"(?s).*[\x00-\x2f]")
"""Up to the last byte that is no part of a longer character in any encoding."""
_THAI_WORD = re.compile("(?:[เแโใไ]?[ก-ฮ][ัิีึืฺุู็]?[่้๊๋์ํ]?[ะาำๅ]?ะ?|[ฯๆ๐-๙])+")
_THAI_MARK = re.compile(rb"[\xd4-\xda\xe7-\xee]")
_FREQUENT_THAI = frozenset("านรก่งอ้มเัวยีลทดสตหะิบคปจพไแชุขืใำ์ูโ็ศผณถธึษ")
"""98 of 100 letters in the training data of Thai NER, and in the names of Thailand's places."""


class _OddBytes:
    decoded = 0


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    odd = error.object[error.start : error.end]
    _OddBytes.decoded += len(odd)
    try:
        return odd.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return odd.decode("latin-1"), error.end


codecs.register_error(ODD_BYTES, _as_latin)


def odd_bytes_decoded() -> int:
    """How many bytes this process has decoded so far that did not belong to their text's encoding."""
    return _OddBytes.decoded


def encoding_sample(stream: BinaryIO, head: bytes) -> bytes:
    """What tells the encoding of a text that begins with `head`, its first HEAD_BYTES: the head; or, where that holds
    next to nothing beyond ASCII, passages further on that do."""
    high = _beyond_ascii(head)
    if len(head) < HEAD_BYTES or high >= ENOUGH_BEYOND_ASCII or (high and _decodes(head, "utf-8")):
        return head
    if any(head.startswith(mark) for mark, _ in _MARKS) or _without_mark(head):
        return head
    passages: list[bytes] = []
    found = 0
    stream.seek(0)
    while found < ENOUGH_BEYOND_ASCII and (piece := stream.read(HEAD_BYTES)):
        run = None if piece.isascii() else _HIGH_RUN.search(piece)
        if run is None:
            continue
        start = stream.tell() - len(piece) + run.start()
        stream.seek(start)
        passage = stream.read(PASSAGE_BYTES)
        whole = _UP_TO_SEPARATOR.match(passage)
        passages.append(whole[0] if whole else passage)
        found += _beyond_ascii(passages[-1])
        stream.seek(start + len(passages[-1]))
    return b"\n".join(passages) or head


def text_encoding(head: bytes) -> tuple[str, float]:
    """The encoding of a text that begins with `head`, and how sure that is, 0–1."""
    known = known_encoding(head)
    if known is not None:
        return known
    run = _HIGH_RUN.search(head)
    begin = max(0, (run.start() if run else 0) - SAMPLE_BYTES // 2)
    best = from_bytes(head[begin : begin + SAMPLE_BYTES]).best()
    return (best.encoding, max(0.1, 1.0 - best.chaos)) if best is not None else ("latin-1", 0.1)


def known_encoding(head: bytes) -> tuple[str, float] | None:
    """As `text_encoding`, where it need not be guessed: Unicode, Thai and Chinese; None for any other."""
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
    runs = set(_HIGH_RUN.findall(head))
    if _reads_as_thai(runs) and (_is_usual_thai(runs) or (_has_thai_marks(runs) and not _is_usual_chinese(runs))):
        return "cp874", 0.9
    return ("gb18030", 0.9) if _reads_as_chinese(head) else None


class _Lent(io.RawIOBase):
    """A stream lent to a text, which closes what it reads from: closing that is up to whoever opened it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        data = self._stream.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(data)] = data
        return len(data)


def text_lines(stream: BinaryIO, encoding: str, newline: str | None = "") -> io.TextIOWrapper:
    """The stream as text, line by line, ends of lines as they are, or as `open` has them for another `newline`.

    No byte is lost: see `ODD_BYTES`. The stream stays open.
    """
    return io.TextIOWrapper(
        io.BufferedReader(_Lent(stream), SAMPLE_BYTES), encoding=encoding, errors=ODD_BYTES, newline=newline
    )


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
    high = _beyond_ascii(head)
    odd = head.decode("utf-8", errors="replace").count("\ufffd")
    return high > 20 and odd < 0.05 * high


def _beyond_ascii(data: bytes) -> int:
    return len(data.translate(None, bytes(range(0x80))))


def _reads_as_chinese(head: bytes) -> bool:
    """Whether high bytes come in pairs, nearly all led by a byte of GB 2312's Han characters or punctuation.

    Thai in one byte a letter has runs of odd length as often as of even.
    """
    runs = _HIGH_RUN.findall(head)
    leads = [lead for run in runs for lead in run[::2]]
    even = sum(len(run) % 2 == 0 for run in runs)
    han = sum(0xB0 <= lead <= 0xF7 or lead in (0xA1, 0xA3) for lead in leads)
    return bool(runs) and even > 0.95 * len(runs) and han > 0.9 * len(leads) and _decodes(head, "gb18030")


def _reads_as_thai(runs: Collection[bytes]) -> bool:
    """Whether the runs of high bytes are Thai letters, its signs and marks where Thai has them.

    A single Chinese word may pass, too, but hardly a list of them. A run of one byte is an accented letter.
    """
    letters = sum(map(len, runs))
    thai = sum(0xA1 <= byte <= 0xDA or 0xDF <= byte <= 0xFB for run in runs for byte in run)
    if not letters or letters < 2 * len(runs) or thai <= 0.98 * letters:
        return False
    words = (word for run in runs for word in _THAI_WORD.findall(run.decode("cp874", errors="replace")))
    return sum(map(len, words)) > 0.95 * letters


def _is_usual_thai(runs: Collection[bytes]) -> bool:
    """Whether runs that read as Thai are made of its frequent letters. Few Chinese words are."""
    letters = "".join(run.decode("cp874", errors="replace") for run in runs)
    return sum(letter in _FREQUENT_THAI for letter in letters) > 0.9 * len(letters)


def _has_thai_marks(runs: Collection[bytes]) -> bool:
    return any(map(_THAI_MARK.search, runs))


def _is_usual_chinese(runs: Collection[bytes]) -> bool:
    """Whether the runs are pairs of GB 2312's frequent characters (its first level) and its punctuation."""
    pairs = [run[place : place + 2] for run in runs for place in range(0, len(run), 2)]
    usual = sum(
        len(pair) == 2 and (0xB0 <= pair[0] <= 0xD7 or pair[0] == 0xA3 or (pair[0] == 0xA1 and pair[1] <= 0xBF))
        for pair in pairs
    )
    return usual >= 0.9 * len(pairs)
