"""Every reader by its format's name: the one visible list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from tenant_pipeline.intake.readers.chatgpt_export import read_chatgpt
from tenant_pipeline.intake.readers.claude_export import read_claude
from tenant_pipeline.intake.readers.csv_table import read_csv
from tenant_pipeline.intake.readers.geojson import read_geojson
from tenant_pipeline.intake.readers.html_page import read_html
from tenant_pipeline.intake.readers.item import Items
from tenant_pipeline.intake.readers.json_records import read_json, read_ndjson
from tenant_pipeline.intake.readers.markdown_page import read_markdown
from tenant_pipeline.intake.readers.news_feed import read_feed
from tenant_pipeline.intake.readers.pdf_document import read_pdf
from tenant_pipeline.intake.readers.plain_text import read_text
from tenant_pipeline.intake.readers.word_document import read_docx
from tenant_pipeline.intake.readers.workbook import read_workbook

READERS: Mapping[str, Callable[[BinaryIO, str], Items]] = {
    "csv": read_csv,
    "workbook": read_workbook,
    "json": read_json,
    "ndjson": read_ndjson,
    "geojson": read_geojson,
    "html": read_html,
    "markdown": read_markdown,
    "text": read_text,
    "docx": read_docx,
    "pdf": read_pdf,
    "feed": read_feed,
    "chatgpt": read_chatgpt,
    "claude": read_claude,
}
"""Each takes an object's seekable bytes and the encoding of its text."""
