"""Every reader by its format's name: the one visible list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from tenant_pipeline.intake.readers.calendar_events import read_icalendar
from tenant_pipeline.intake.readers.canonical_export import read_canonical_export
from tenant_pipeline.intake.readers.chat_tables import with_few_headers
from tenant_pipeline.intake.readers.chatgpt_export import read_chatgpt
from tenant_pipeline.intake.readers.ckan_answer import read_ckan
from tenant_pipeline.intake.readers.claude_export import read_claude
from tenant_pipeline.intake.readers.confluence_export import read_confluence_export
from tenant_pipeline.intake.readers.confluence_page import read_confluence_page
from tenant_pipeline.intake.readers.contact_cards import read_vcard
from tenant_pipeline.intake.readers.csv_table import read_csv
from tenant_pipeline.intake.readers.data_catalogue import read_dcat
from tenant_pipeline.intake.readers.dokuwiki_page import read_dokuwiki
from tenant_pipeline.intake.readers.gemini_export import read_gemini
from tenant_pipeline.intake.readers.geojson import read_geojson
from tenant_pipeline.intake.readers.gpx_track import read_gpx
from tenant_pipeline.intake.readers.html_page import read_html
from tenant_pipeline.intake.readers.item import Items
from tenant_pipeline.intake.readers.json_records import read_json, read_ndjson
from tenant_pipeline.intake.readers.kml_places import read_kml
from tenant_pipeline.intake.readers.markdown_page import read_markdown
from tenant_pipeline.intake.readers.mediawiki_dump import read_mediawiki_dump
from tenant_pipeline.intake.readers.news_feed import read_feed
from tenant_pipeline.intake.readers.newsml_g2 import read_newsml_g2
from tenant_pipeline.intake.readers.notion_page import read_notion
from tenant_pipeline.intake.readers.odata_answer import read_odata
from tenant_pipeline.intake.readers.open_document import read_odt
from tenant_pipeline.intake.readers.openapi_description import read_openapi
from tenant_pipeline.intake.readers.parquet_table import read_parquet
from tenant_pipeline.intake.readers.pdf_document import read_pdf
from tenant_pipeline.intake.readers.perplexity_export import read_perplexity
from tenant_pipeline.intake.readers.plain_text import read_text
from tenant_pipeline.intake.readers.slide_deck import read_pptx
from tenant_pipeline.intake.readers.socrata_rows import read_socrata
from tenant_pipeline.intake.readers.sql_definitions import read_sql
from tenant_pipeline.intake.readers.wikitext import read_wikitext
from tenant_pipeline.intake.readers.word_document import read_docx
from tenant_pipeline.intake.readers.workbook import read_workbook
from tenant_pipeline.intake.readers.xml_records import read_xml
from tenant_pipeline.intake.readers.yaml_records import read_yaml

READERS: Mapping[str, Callable[[BinaryIO, str], Items]] = {
    "csv": read_csv,
    "workbook": read_workbook,
    "parquet": read_parquet,
    "canonical-export": read_canonical_export,
    "json": read_json,
    "ndjson": read_ndjson,
    "yaml": read_yaml,
    "xml": read_xml,
    "docx": read_docx,
    "odt": read_odt,
    "pptx": read_pptx,
    "pdf": read_pdf,
    "text": read_text,
    "markdown": read_markdown,
    "html": read_html,
    "feed": read_feed,
    "newsml-g2": read_newsml_g2,
    "mediawiki-dump": read_mediawiki_dump,
    "wikitext": read_wikitext,
    "confluence-export": read_confluence_export,
    "confluence-page": read_confluence_page,
    "notion": read_notion,
    "dokuwiki": read_dokuwiki,
    "geojson": read_geojson,
    "kml": read_kml,
    "gpx": read_gpx,
    "vcard": read_vcard,
    "icalendar": read_icalendar,
    "ckan": read_ckan,
    "socrata": read_socrata,
    "odata": read_odata,
    "dcat": read_dcat,
    "openapi": read_openapi,
    "sql": read_sql,
    "chatgpt": with_few_headers(read_chatgpt),
    "claude": with_few_headers(read_claude),
    "gemini": with_few_headers(read_gemini),
    "perplexity": with_few_headers(read_perplexity),
}
"""Each takes an object's seekable bytes and the encoding of its text."""
