"""Where the next page of a paged answer lies, as the usual open-data interfaces say it.

OData: a link in the document. CKAN: `datastore_search` with a link or `offset`, `package_search` with `start`. Socrata
SODA: `$offset` until a page is short. Any other: the header `Link` with `rel="next"` (RFC 8288).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import BinaryIO

import httpx
import ijson

ODATA_LINKS = ("@odata.nextLink", "odata.nextLink", "d.__next")
CKAN_LINK = "result._links.next"
CKAN_NUMBERS = ("result.total", "result.count", "result.limit", "result.offset")
ROWS = ("item", "features.item", "result.records.item", "result.results.item")
SODA_ROWS = 1_000
CKAN_ROWS = 100
CKAN_PACKAGES = 10
EDGE_BYTES = 4_096
LONGEST_PATH = 1_000
"""The parser's paths grow with the depth of a document, so a hostile one is not followed down."""

_SODA = re.compile(r"/(?:resource|api/id)/[a-z0-9]{4}-[a-z0-9]{4}\.(?:json|geojson)")
_CKAN = re.compile(r".*/api/(?:3/|v3/)?action/(datastore_search|package_search)")
_ODATA = re.compile(rb'odata\.|"d"\s*:|__next|nextLink')
_VALUES = ("string", "number", "boolean", "null")


@dataclass
class Facts:
    """What a JSON document says about its place among the pages: values by their path, and rows by theirs."""

    values: dict[str, str | int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def next_page(url: httpx.URL, headers: httpx.Headers, body: BinaryIO) -> str | None:
    """The address of the page after the one that `url` answered with, or None where there is none."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    linked = None if kind in ("text/html", "application/xhtml+xml") else _linked(headers)
    ckan = _CKAN.fullmatch(url.path)
    soda = _SODA.fullmatch(url.path) is not None and "$query" not in url.params
    if not (ckan or soda or _may_be_odata(body)):
        return linked
    facts = _facts(body)
    if ckan:
        return _ckan_search(url, facts) if ckan[1] == "datastore_search" else _ckan_packages(url, facts)
    if soda:
        return _soda(url, facts)
    found = next((facts.values[name] for name in ODATA_LINKS if name in facts.values), None)
    return found if isinstance(found, str) and found else linked


def has_rows(url: httpx.URL, body: BinaryIO) -> bool:
    """Whether a page holds anything; a page of a kind whose rows are not counted does."""
    if not (_CKAN.fullmatch(url.path) or _SODA.fullmatch(url.path)):
        return True
    return any(_facts(body).rows.values())


def _ckan_search(url: httpx.URL, facts: Facts) -> str | None:
    rows = facts.rows.get("result.records.item", 0)
    limit = _number(facts, "result.limit", _parameter(url, "limit", CKAN_ROWS))
    offset = _number(facts, "result.offset", _parameter(url, "offset", 0))
    total = facts.values.get("result.total")
    # CKAN gives a link to the next page on the last page, too.
    if not rows or (offset + rows >= total if isinstance(total, int) else rows < limit):
        return None
    link = facts.values.get(CKAN_LINK)
    if isinstance(link, str) and link and rows == limit:
        return link
    return str(url.copy_merge_params({"offset": offset + rows, "limit": limit}))


def _ckan_packages(url: httpx.URL, facts: Facts) -> str | None:
    rows = facts.rows.get("result.results.item", 0)
    start = _parameter(url, "start", 0) + rows
    if not rows or start >= _number(facts, "result.count", 0):
        return None
    return str(url.copy_merge_params({"start": start, "rows": _parameter(url, "rows", CKAN_PACKAGES)}))


def _soda(url: httpx.URL, facts: Facts) -> str | None:
    limit = _parameter(url, "$limit", SODA_ROWS)
    rows = facts.rows.get("item", 0) or facts.rows.get("features.item", 0)
    if not rows or rows < limit:
        return None
    return str(url.copy_merge_params({"$limit": limit, "$offset": _parameter(url, "$offset", 0) + rows}))


def _linked(headers: httpx.Headers) -> str | None:
    """The target of the first `rel="next"` that is about this document, not about another `anchor`."""
    for link in httpx.Response(200, headers=headers).links.values():
        if "next" in link.get("rel", "").lower().split() and "anchor" not in link:
            return link.get("url") or None
    return None


def _may_be_odata(body: BinaryIO) -> bool:
    """Whether the beginning or the end of a JSON document speaks OData; looked at to spare others the parsing."""
    body.seek(0)
    first = body.read(EDGE_BYTES)
    if first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        return False
    size = body.seek(0, 2)
    body.seek(max(size - EDGE_BYTES, 0))
    return _ODATA.search(first) is not None or _ODATA.search(body.read(EDGE_BYTES)) is not None


def _facts(body: BinaryIO) -> Facts:
    """Read a document once, keeping nothing but the facts; where it is no JSON they end."""
    facts = Facts()
    wanted = {*ODATA_LINKS, CKAN_LINK, *CKAN_NUMBERS}
    body.seek(0)
    try:
        for path, event, value in ijson.parse(body, buf_size=EDGE_BYTES):
            if len(path) > LONGEST_PATH:
                break
            if path in ROWS and event in ("start_map", "start_array", *_VALUES):
                facts.rows[path] = facts.rows.get(path, 0) + 1
            elif path in wanted and isinstance(value, str | int) and event in ("string", "number"):
                facts.values.setdefault(path, value)
    except (ijson.JSONError, UnicodeDecodeError):
        pass
    return facts


def _number(facts: Facts, name: str, otherwise: int) -> int:
    value = facts.values.get(name)
    return value if isinstance(value, int) else otherwise


def _parameter(url: httpx.URL, name: str, otherwise: int) -> int:
    text = url.params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else otherwise
