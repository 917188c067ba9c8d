"""Which format a text is of: each format's own mark, asked in an order in which the more particular comes first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from tenant_pipeline.intake.readers.calendar_events import looks_like_icalendar
from tenant_pipeline.intake.readers.canonical_export import looks_like_canonical_export
from tenant_pipeline.intake.readers.chatgpt_export import looks_like_chatgpt, looks_like_chatgpt_manifest
from tenant_pipeline.intake.readers.ckan_answer import looks_like_ckan
from tenant_pipeline.intake.readers.claude_export import (
    looks_like_claude,
    looks_like_claude_projects,
    looks_like_claude_users,
)
from tenant_pipeline.intake.readers.confluence_export import looks_like_confluence_export
from tenant_pipeline.intake.readers.confluence_page import looks_like_confluence_page
from tenant_pipeline.intake.readers.contact_cards import looks_like_vcard
from tenant_pipeline.intake.readers.csv_table import delimiter_of
from tenant_pipeline.intake.readers.data_catalogue import looks_like_dcat
from tenant_pipeline.intake.readers.dokuwiki_page import looks_like_dokuwiki
from tenant_pipeline.intake.readers.gemini_export import (
    looks_like_gemini_activity,
    looks_like_gemini_activity_page,
    looks_like_gemini_studio,
)
from tenant_pipeline.intake.readers.geojson import looks_like_geojson
from tenant_pipeline.intake.readers.gpx_track import looks_like_gpx
from tenant_pipeline.intake.readers.kml_places import looks_like_kml
from tenant_pipeline.intake.readers.markdown_page import looks_like_markdown
from tenant_pipeline.intake.readers.mediawiki_dump import looks_like_mediawiki_dump
from tenant_pipeline.intake.readers.news_feed import looks_like_feed
from tenant_pipeline.intake.readers.newsml_g2 import looks_like_newsml_g2
from tenant_pipeline.intake.readers.notion_page import looks_like_notion
from tenant_pipeline.intake.readers.odata_answer import looks_like_odata
from tenant_pipeline.intake.readers.openapi_description import looks_like_openapi
from tenant_pipeline.intake.readers.perplexity_export import (
    looks_like_perplexity_response,
    looks_like_perplexity_thread,
)
from tenant_pipeline.intake.readers.socrata_rows import looks_like_socrata
from tenant_pipeline.intake.readers.sql_definitions import looks_like_sql
from tenant_pipeline.intake.readers.wikitext import looks_like_wikitext
from tenant_pipeline.intake.readers.xml_records import looks_like_xml
from tenant_pipeline.intake.readers.yaml_records import looks_like_yaml

Recogniser = Callable[[str, str], bool]
"""Whether the beginning of a text, read with the file's path, is of a format."""

LINES = 50
_MESSAGE = re.compile(r"\u200e?\[\d{1,4}\D\d{1,2}\D\d{2,4},? ")
"""A chat's line begins with when it was said."""
LONGEST_TABLE_LINE = 2_000
_MARKUP = ("<!doctype html", "<html", "<head", "<body", "<table", "<div")


class TextFormat(NamedTuple):
    """A format of text: its reader, its media type, its recogniser, and how sure it is of what it recognises."""

    reader: str
    media_type: str
    recognises: Recogniser
    confidence: float


def text_format(text: str, path: str) -> TextFormat:
    """The format of a text that begins so: the first whose recogniser says yes, and plain text if none does."""
    return next(each for each in TEXT_FORMATS if each.recognises(text, path))


def _looks_like_ndjson(text: str, path: str) -> bool:
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    return len(lines) > 1 and text.lstrip().startswith("{") and all(map(_is_json_object, lines[: len(lines) - 1]))


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _looks_like_json(text: str, path: str) -> bool:
    start = text.lstrip()
    follows = start[1:].lstrip()[:1]
    if start.startswith("{"):
        return follows in ('"', "}", "")
    if not start.startswith("["):
        return False
    if follows in ("{", '"', "]", ""):
        return True
    # A note's number, the time of a message and a wiki's link stand in brackets, too.
    return (follows in "[-" or follows.isdigit()) and (path.casefold().endswith(".json") or _is_json_so_far(start))


def _is_json_so_far(text: str) -> bool:
    """Whether a text is JSON, or breaks off as JSON does that goes on: somewhere behind its last comma."""
    if _json_error(text) is None:
        return True
    whole = text[: text.rfind(",")].rstrip() if "," in text else text.rstrip()
    error = _json_error(whole)
    return error is not None and (error.pos >= len(whole) or error.msg.startswith("Unterminated string"))


def _json_error(text: str) -> json.JSONDecodeError | None:
    try:
        json.loads(text, parse_int=str, parse_float=str)  # a number may be too long to be made one
    except json.JSONDecodeError as error:
        return error
    except RecursionError:
        return None
    return None


def _looks_like_html(text: str, path: str) -> bool:
    start = text.lstrip()[:LONGEST_TABLE_LINE].casefold()
    if start.startswith("<?xml"):
        return "<html" in start
    return start.startswith(_MARKUP) or (path.casefold().endswith((".html", ".htm", ".xhtml")) and "<" in start)


def _is_named_csv(text: str, path: str) -> bool:
    return path.casefold().endswith((".csv", ".tsv", ".psv"))


def _looks_like_csv(text: str, path: str) -> bool:
    """Whether one delimiter parts nearly all lines into the same number of cells."""
    lines = [line for line in text.splitlines()[:LINES] if line.strip()]
    if len(lines) < 2 or any(len(line) >= LONGEST_TABLE_LINE for line in lines) or _MESSAGE.match(lines[0]):
        return False
    delimiter = delimiter_of([line + "\n" for line in lines])
    counts = [line.count(delimiter) for line in lines]
    usual = max(set(counts), key=counts.count)
    return usual > 0 and counts.count(usual) >= 0.8 * len(lines)


def _is_text(text: str, path: str) -> bool:
    return True


TEXT_FORMATS: tuple[TextFormat, ...] = (
    TextFormat("chatgpt", "application/json", looks_like_chatgpt, 1.0),
    TextFormat("chatgpt", "application/json", looks_like_chatgpt_manifest, 1.0),
    TextFormat("claude", "application/json", looks_like_claude, 1.0),
    TextFormat("claude", "application/json", looks_like_claude_projects, 1.0),
    TextFormat("claude", "application/json", looks_like_claude_users, 1.0),
    TextFormat("gemini", "application/json", looks_like_gemini_studio, 1.0),
    TextFormat("gemini", "application/json", looks_like_gemini_activity, 1.0),
    TextFormat("gemini", "text/html", looks_like_gemini_activity_page, 1.0),
    TextFormat("perplexity", "application/json", looks_like_perplexity_response, 1.0),
    TextFormat("perplexity", "text/markdown", looks_like_perplexity_thread, 0.9),
    TextFormat("canonical-export", "application/x-ndjson", looks_like_canonical_export, 1.0),
    TextFormat("openapi", "application/vnd.oai.openapi", looks_like_openapi, 1.0),
    TextFormat("dcat", "application/rdf+xml", looks_like_dcat, 1.0),
    TextFormat("geojson", "application/geo+json", looks_like_geojson, 1.0),
    TextFormat("ckan", "application/json", looks_like_ckan, 1.0),
    TextFormat("socrata", "application/json", looks_like_socrata, 1.0),
    TextFormat("odata", "application/json", looks_like_odata, 1.0),
    TextFormat("ndjson", "application/x-ndjson", _looks_like_ndjson, 1.0),
    TextFormat("json", "application/json", _looks_like_json, 1.0),
    TextFormat("kml", "application/vnd.google-earth.kml+xml", looks_like_kml, 1.0),
    TextFormat("gpx", "application/gpx+xml", looks_like_gpx, 1.0),
    TextFormat("mediawiki-dump", "application/xml", looks_like_mediawiki_dump, 1.0),
    TextFormat("confluence-export", "application/xml", looks_like_confluence_export, 1.0),
    TextFormat("newsml-g2", "application/vnd.iptc.g2.newsitem+xml", looks_like_newsml_g2, 1.0),
    TextFormat("feed", "application/rss+xml", looks_like_feed, 1.0),
    TextFormat("confluence-page", "text/html", looks_like_confluence_page, 1.0),
    TextFormat("html", "text/html", _looks_like_html, 1.0),
    TextFormat("xml", "application/xml", looks_like_xml, 0.9),
    TextFormat("csv", "text/csv", _is_named_csv, 1.0),
    TextFormat("vcard", "text/vcard", looks_like_vcard, 1.0),
    TextFormat("icalendar", "text/calendar", looks_like_icalendar, 1.0),
    TextFormat("sql", "application/sql", looks_like_sql, 0.9),
    TextFormat("dokuwiki", "text/x-dokuwiki", looks_like_dokuwiki, 0.9),
    TextFormat("wikitext", "text/x-wiki", looks_like_wikitext, 0.9),
    TextFormat("notion", "text/markdown", looks_like_notion, 0.9),
    TextFormat("yaml", "application/yaml", looks_like_yaml, 0.8),
    TextFormat("markdown", "text/markdown", looks_like_markdown, 0.8),
    TextFormat("csv", "text/csv", _looks_like_csv, 0.8),
    TextFormat("text", "text/plain", _is_text, 0.5),
)
