"""What an object is, found by its content: marks first, then a look inside. Its name only breaks ties."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

from tenant_pipeline.intake.archive import ArchiveError, ArchiveLimits, check_package
from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.text_encoding import HEAD_BYTES, encoding_sample, text_encoding, text_of_bytes
from tenant_pipeline.intake.text_formats import text_format

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
_BINARY = {
    b"PAR1": ("parquet", "application/vnd.apache.parquet"),
    b"\xd0\xcf\x11\xe0": ("workbook", "application/vnd.ms-excel"),
}
_REFUSED = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
    b"\x89PNG": "PNG picture",
    b"\xff\xd8\xff": "JPEG picture",
    b"GIF8": "GIF picture",
    b"MZ": "Windows program",
    b"\x7fELF": "program",
    b"SQLite format 3": "SQLite database",
}
_HEADER = re.compile(r"(?:(?:From |\d)[^\n]*\n)?(?:[!-9;-~]{1,80}:[^\n]*(?:\n|\Z)(?:[ \t][^\n]*(?:\n|\Z))*)+")
"""The fields that a message begins with, up to the first blank line; a mailbox has a line before them."""
_OF_A_MESSAGE = re.compile(
    r"(?im)^(?:mime-version:|(?:return-path|message-id):\s*<|received:\s*(?:from|by)\s+\S*[.:]\S)"
)


@dataclass(frozen=True)
class Format:
    """A format: its reader, its media type, the encoding of its text ("" for binary), and how sure that is, 0–1."""

    reader: str
    media_type: str
    encoding: str
    confidence: float


def identify_format(stream: BinaryIO, path: str) -> Format:
    """The format of an object. Raises UnreadableError for an empty one and for those that no reader knows."""
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if not head.strip(b"\0 \t\r\n"):
        raise UnreadableError("empty-file", "The file is empty.")
    if b"%PDF-" in head[:1024]:
        return Format("pdf", "application/pdf", "", 1.0)
    if head.startswith(b"PK\x03\x04"):
        return _packed(stream)
    for mark, (reader, media_type) in _BINARY.items():
        if head.startswith(mark):
            return Format(reader, media_type, "", 0.9)
    for mark, name in _REFUSED.items():
        if head.startswith(mark):
            raise UnreadableError("unknown-format", f"It is a {name}, which no reader knows; hand in what it holds.")
    encoding, confidence = text_encoding(encoding_sample(stream, head))
    stream.seek(0)
    text = text_of_bytes(head, encoding).lstrip("\ufeff")
    if (
        "\0" in text
        or sum(character < " " and character not in "\t\r\n\f\v\x1b" for character in text) > len(text) / 20
    ):
        raise UnreadableError("unknown-format", "It is of a binary format that no reader knows.")
    _refuse_encoded_text(text.lstrip())
    found = text_format(text, path)
    return Format(found.reader, found.media_type, encoding, confidence * found.confidence)


def _refuse_encoded_text(text: str) -> None:
    """Raises UnreadableError for what may hold its text in codes, in which no screen would see a person."""
    if text.startswith("{\\rtf"):
        raise UnreadableError("unknown-format", "It is an RTF document, which no reader knows; save it as DOCX.")
    header = _HEADER.match(text)
    if header and _OF_A_MESSAGE.search(header[0]):
        raise UnreadableError(
            "unknown-format",
            "It is an e-mail or a web archive, which no reader knows; save it as HTML or PDF, and what is attached.",
        )


def _packed(stream: BinaryIO) -> Format:
    """Which document a package is. It is unpacked once, so that no parser meets what could harm it."""
    try:
        check_package(stream, ArchiveLimits())
        with zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype").decode(errors="replace") if "mimetype" in names else ""
    except ArchiveError as refused:
        raise UnreadableError(refused.code, "The packed document cannot be unpacked safely.") from None
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        raise UnreadableError("broken-archive", "It is a zip that cannot be opened; save it anew.") from None
    finally:
        stream.seek(0)
    if "word/document.xml" in names:
        return Format("docx", f"{_OFFICE}.wordprocessingml.document", "", 1.0)
    if "ppt/presentation.xml" in names:
        return Format("pptx", f"{_OFFICE}.presentationml.presentation", "", 1.0)
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return Format("workbook", f"{_OFFICE}.spreadsheetml.sheet", "", 1.0)
    if kind.startswith(f"{_OPEN_DOCUMENT}.spreadsheet"):
        return Format("workbook", f"{_OPEN_DOCUMENT}.spreadsheet", "", 1.0)
    if kind.startswith(f"{_OPEN_DOCUMENT}.text"):
        return Format("odt", f"{_OPEN_DOCUMENT}.text", "", 1.0)
    if kind.startswith("application/epub+zip"):
        raise UnreadableError("unknown-format", "It is an EPUB book, which no reader knows; save it as DOCX or HTML.")
    raise UnreadableError("unknown-format", "It is a packed document that no reader knows.")
