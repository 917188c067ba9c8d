"""Files to read, written by ourselves and the same each time: venues, as a CSV, a workbook, JSON, a wiki, a chat."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import xlsxwriter

HEADER = ("code", "name_th", "name_en", "name_zh", "capacity", "postcode", "lat", "lon", "opened", "note")


def venues(count: int) -> Iterator[tuple[str, ...]]:
    """So many venues, none real."""
    for number in range(count):
        yield (
            f"V{number:07d}", f"ห้องประชุมหมายเลข {number}", f"Meeting Room {number}", f"会议室{number}",
            str(number % 5000), f"{10000 + number % 80000}", f"{6 + number % 1400 / 100:.4f}",
            f"{98 + number % 700 / 100:.4f}", f"20{number % 25:02d}-01-15", f"ทางเข้าอยู่ด้านทิศเหนือ, gate {number % 12}",
        )  # fmt: skip


def write_csv(path: Path, count: int) -> None:
    """A CSV with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(venues(count))


def write_workbook(path: Path, count: int) -> None:
    """A workbook of one sheet."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Venues")
        sheet.write_row(0, 0, HEADER)
        for row, venue in enumerate(venues(count), 1):
            sheet.write_row(row, 0, venue)


def write_json(path: Path, count: int) -> None:
    """An array of objects."""
    with path.open("w", encoding="utf-8") as file:
        for number, venue in enumerate(venues(count)):
            file.write("[\n" if not number else ",\n")
            json.dump(dict(zip(HEADER, venue, strict=True)), file, ensure_ascii=False)
        file.write("\n]")


def write_wiki(path: Path, count: int) -> None:
    """A MediaWiki dump: ten listings a page."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n')
        file.write("<siteinfo><sitename>Venues</sitename><dbname>venues</dbname><generator>MediaWiki 1.43</generator>"
                   '<case>first-letter</case><namespaces><namespace key="0" case="first-letter" />'
                   "</namespaces></siteinfo>\n")  # fmt: skip
        text = io.StringIO()
        for number, venue in enumerate(venues(count), 1):
            text.write(
                f"* {{{{do | name={venue[2]} | alt={venue[1]} | lat={venue[6]} | long={venue[7]}"
                f" | content={venue[9]} }}}}\n"
            )
            if number % 10 == 0 or number == count:
                page = (number + 9) // 10
                file.write(
                    f"<page><title>District {page}</title><ns>0</ns><id>{page}</id><revision><id>{page}</id>"
                    "<timestamp>2026-01-01T00:00:00Z</timestamp><model>wikitext</model><format>text/x-wiki</format>"
                    f'<text xml:space="preserve">==Do==\n{escape(text.getvalue())}</text></revision></page>\n'
                )
                text = io.StringIO()
        file.write("</mediawiki>\n")


def write_chats(path: Path, count: int) -> None:
    """A ChatGPT export: ten messages a conversation."""
    with path.open("w", encoding="utf-8") as file:
        for conversation in range((count + 9) // 10):
            mapping: dict[str, object] = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
            parent = "root"
            for number in range(10):
                identifier = f"m-{conversation}-{number}"
                role = ("user", "assistant")[number % 2]
                mapping[identifier] = {
                    "id": identifier,
                    "parent": parent,
                    "children": [],
                    "message": {
                        "id": identifier,
                        "author": {"role": role},
                        "create_time": 1767225600.0 + number,
                        "content": {
                            "content_type": "text",
                            "parts": [f"ห้องประชุม {number} รองรับได้ {number * 10} คน " * 4],
                        },
                        "metadata": {},
                    },
                }
                parent = identifier
            file.write("[\n" if not conversation else ",\n")
            value = {"title": f"Venues {conversation}", "mapping": mapping, "current_node": parent}
            json.dump(value, file, ensure_ascii=False)
        file.write("\n]")


WRITERS: Mapping[str, tuple[str, Callable[[Path, int], None]]] = {
    "csv": ("venues.csv", write_csv),
    "xlsx": ("venues.xlsx", write_workbook),
    "json": ("venues.json", write_json),
    "mediawiki": ("venues.xml", write_wiki),
    "chatgpt": ("conversations.json", write_chats),
}
