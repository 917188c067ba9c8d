"""The sources below an answer of Perplexity: numbered links and footnotes, told from the answer's own text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tenant_pipeline.intake.readers.chat_citation import Citation

_BLANKS = r"(?:(?<![ \t])[ \t]+)?"
"""The blanks before a mark, which go with it."""

_URL = r"https?://(?:[^\s()<>\[\]\"]|\([^\s()<>]*\))+"
_LINK = re.compile(rf"\[([^\[\]\n]*)\]\(<?({_URL})>?(?:[ \t]+\"([^\"\n]*)\")?\)")
_NUMBERED_LINK = re.compile(rf"{_BLANKS}\(?\[[0-9]{{1,3}}\]\(<?{_URL}>?(?:[ \t]+\"[^\"\n]*\")?\)\)?")
_BARE = re.compile(_URL)
_NUMBER = re.compile(rf"{_BLANKS}\[([0-9]{{1,3}})\](?!\()")
_NOTE = re.compile(r"\[\^([^\]\s]{1,40})\]:?[ \t]+(.*)")
_NOTE_MARK = re.compile(rf"{_BLANKS}\[\^[^\]\s]{{1,40}}\]")
_ENTRY = re.compile(r"[ \t]*(?:\[([0-9]{1,3})\]:?|([0-9]{1,3})[.)]|[-*•])[ \t]*(.*)")
_LONE_ENTRY = re.compile(r"\[([0-9]{1,3})\]:?[ \t]+(<?https?://.*)")
_SECTION = re.compile(
    r"(?:#{1,6}[ \t]+|\*\*)?(?:[0-9]+[ \t]+)?(?:citations?|sources?|references?|แหล่งอ้างอิง|แหล่งที่มา|แหล่งข้อมูล|อ้างอิง"
    r"|来源|來源|参考资料|参考来源|參考資料|参考文献|引用)[ \t]*[:：]?(?:\*\*)?[ \t]*[:：]?[ \t]*",
    re.IGNORECASE,
)
_HEADING = re.compile(r"#{1,6}[ \t]")
_ORNAMENT = re.compile(
    r"(?:<img\b[^>]*>|<div\b[^>]*>[ \t]*⁂?[ \t]*(?:</div>)?|</div>|⁂|-{3,}|\*{3,}|_{3,})", re.IGNORECASE
)


@dataclass(frozen=True)
class Source:
    """A source under the label that the answer refers to it by; `is_note` for a footnote."""

    label: str
    citation: Citation
    is_note: bool = False


def is_ornament(line: str) -> bool:
    """Whether a line only adorns the page: the logo, a rule, the mark before the footnotes."""
    return _ORNAMENT.fullmatch(line.strip()) is not None


def split_sources(lines: list[str]) -> tuple[str, list[Source]]:
    """The answer's text without its sources, and these. A line among them that names no page stays text."""
    text: list[str] = []
    sources: list[Source] = []
    in_section = False
    for line in lines:
        if _SECTION.fullmatch(line):
            in_section = True
            continue
        in_section = in_section and not _HEADING.match(line)
        source = _source(line, in_section, len(sources) + 1)
        if source is not None:
            sources.append(source)
        else:
            text.append(line)
    return "\n".join(text).strip(), sources


def inline_citations(text: str) -> Iterator[Citation]:
    """The links within an answer; one whose text is but a number has no title."""
    for link in _LINK.finditer(text):
        yield Citation(link[2], link[3] or (None if link[1].strip().isdigit() else link[1]))


def without_numbers(text: str, labels: frozenset[str]) -> str:
    """A text without the numbers in brackets that stand for sources of these labels."""
    return _NUMBER.sub(lambda mark: "" if mark[1] in labels else mark[0], text).strip()


def without_numbered_links(text: str) -> str:
    """A text without links whose text is but a number, and without the marks of footnotes."""
    return _NOTE_MARK.sub("", _NUMBERED_LINK.sub("", text))


def _source(line: str, in_section: bool, number: int) -> Source | None:
    if note := _NOTE.fullmatch(line.strip()):
        citation = _citation(note[2])
        return Source(note[1], citation, is_note=True) if citation else None
    entry = _ENTRY.fullmatch(line) if in_section else None
    if entry is not None:
        citation = _citation(entry[3])
        return Source(entry[1] or entry[2] or str(number), citation) if citation else None
    if lone := _LONE_ENTRY.fullmatch(line):
        citation = _citation(lone[2])
        return Source(lone[1], citation) if citation else None
    return None


def _citation(text: str) -> Citation | None:
    """The first page that a source's line names, and what else it says as the title."""
    if link := _LINK.search(text):
        return Citation(link[2], link[3] or (None if link[1].strip().isdigit() else link[1]))
    if bare := _BARE.search(text):
        url = bare[0].rstrip(".,;:!")
        title = (text[: bare.start()] + " " + text[bare.end() :]).strip(" \t<>-–—:|\"'()[].,")
        return Citation(url, title)
    return None
