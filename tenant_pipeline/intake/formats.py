"""What an object is, found by its content: marks first, then a parse to confirm. Its name only breaks ties."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

from tenant_pipeline.intake.archive import ArchiveError, ArchiveLimits, check_package
from tenant_pipeline.intake.readers.csv_table import delimiter_of
from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.text_encoding import text_encoding

HEAD_BYTES = 256 * 1024
_MARKUP = ("<!doctype html", "<html", "<head", "<body", "<table", "<div")


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
    if head.startswith(b"%PDF-") or b"%PDF-" in head[:1024]:
        return Format("pdf", "application/pdf", "", 1.0)
    if head.startswith(b"PK"):
        return _packed(stream)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return Format("workbook", "application/vnd.ms-excel", "", 0.8)
    encoding, confidence = text_encoding(head)
    text = head.decode(encoding, errors="replace").lstrip("\ufeff")
    if (encoding.startswith("utf-8") and text.count("\ufffd") > len(text) / 100) or "\0" in text:
        raise UnreadableError("unknown-format", "The file is of a binary format that no reader knows.")
    found = _of_text(text, path)
    return Format(*found, encoding, confidence)


def _packed(stream: BinaryIO) -> Format:
    try:
        check_package(stream, ArchiveLimits())
        with zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype").decode(errors="replace") if "mimetype" in names else ""
    except ArchiveError as refused:
        raise UnreadableError(refused.code, "The packed document cannot be unpacked safely.") from None
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        raise UnreadableError("broken-archive", "The file is a zip that cannot be opened.") from None
    finally:
        stream.seek(0)
    if "word/document.xml" in names:
        return Format("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "", 1.0)
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return Format("workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "", 1.0)
    if kind.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        return Format("workbook", "application/vnd.oasis.opendocument.spreadsheet", "", 1.0)
    raise UnreadableError("unknown-format", "The file is a packed document that no reader knows.")


def _of_text(text: str, path: str) -> tuple[str, str]:
    start = text.lstrip()
    lowered = start[:2000].casefold()
    name = path.casefold()
    if start[:1] in ("{", "["):
        found = _json(start)
        if found is not None:
            return found
    if lowered.startswith("<?xml") or lowered.startswith(("<rss", "<feed", "<rdf")):
        if any(mark in lowered for mark in ("<rss", "<feed", "<rdf:rdf")):
            return "feed", "application/rss+xml"
        if "<html" in lowered:
            return "html", "text/html"
        return "text", "application/xml"
    if lowered.startswith(_MARKUP) or (name.endswith((".html", ".htm")) and "<" in lowered):
        return "html", "text/html"
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    if name.endswith((".md", ".markdown")) or any(line.startswith(("# ", "## ", "|--", "| --")) for line in lines):
        return "markdown", "text/markdown"
    if name.endswith((".csv", ".tsv")) or _looks_tabular(lines):
        return "csv", "text/csv"
    return "text", "text/plain"


def _json(start: str) -> tuple[str, str] | None:
    if '"mapping"' in start and ('"current_node"' in start or '"parent"' in start):
        return "chatgpt", "application/json"
    if '"chat_messages"' in start:
        return "claude", "application/json"
    if '"FeatureCollection"' in start[:5000] or ('"Feature"' in start[:2000] and '"geometry"' in start):
        return "geojson", "application/geo+json"
    lines = [line for line in start.splitlines()[:20] if line.strip()]
    if len(lines) > 1 and all(_is_json(line) for line in lines[: len(lines) - 1]):
        return "ndjson", "application/x-ndjson"
    if start.startswith("{") or start[1:].lstrip()[:1] in ("{", "[", '"', "]", "-") or start[1:2].isdigit():
        return "json", "application/json"
    return None


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _looks_tabular(lines: list[str]) -> bool:
    """Whether one delimiter parts nearly all lines into the same number of cells."""
    if len(lines) < 2:
        return False
    delimiter = delimiter_of([line + "\n" for line in lines])
    counts = [line.count(delimiter) for line in lines]
    usual = max(set(counts), key=counts.count)
    return usual > 0 and counts.count(usual) >= 0.8 * len(lines) and all(len(line) < 2000 for line in lines)
