"""A link handed in as a unit: its document, or the pages of its answer, straight into the raw zone."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from tenant_pipeline.core.origin import Unit, UnitFile, UnitMode
from tenant_pipeline.core.tables import RawObjects
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.intake.link.fetch import Document, Fetch, NotModified
from tenant_pipeline.intake.link.paging import following_pages
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.surroundings import Surroundings
from tenant_pipeline.intake.link.target import checked_url
from tenant_pipeline.intake.link.validators import Validators

NAME_CHARACTERS = 120
SUFFIXES = {"application/json": ".json", "text/csv": ".csv"}

NOTHING_KNOWN = Validators()


@dataclass(frozen=True)
class LinkUnit:
    """A fetched link, and what tells the server next time that we have it: nothing for an answer of several pages,
    of which an unchanged first one says nothing about the others."""

    unit: Unit
    validators: Validators


def unit_from_link(
    url: str,
    raw: RawObjects,
    policy: LinkPolicy,
    known: Validators = NOTHING_KNOWN,
    surroundings: Surroundings | None = None,
    credential: Credential | None = None,
) -> LinkUnit | NotModified:
    """Fetch `url` into the raw zone and describe it as a unit of one file, or of one file a page, in order.

    NotModified is the answer only where `known` has validators. Raises LinkError, or the kind of it that fits, for an
    address that is not public or no web address, for what robots.txt forbids, for more redirects, pages, bytes or
    time than the policy allows, and for an answer that is not 200 or does not come whole.
    """
    asked = checked_url(url, policy)
    with Fetch(raw, policy, surroundings or Surroundings(), credential) as fetch:
        first = fetch.document(asked, known)
        if isinstance(first, NotModified):
            return first
        pages = [first, *following_pages(asked, first, fetch, raw, policy)]
    if len(pages) == 1:
        return LinkUnit(Unit(UnitMode.LINK, (_file(first, ""),)), first.validators)
    files = tuple(_file(page, f"page-{number:05d}-") for number, page in enumerate(pages, start=1))
    return LinkUnit(Unit(UnitMode.LINK, files), NOTHING_KNOWN)


def _file(document: Document, before: str) -> UnitFile:
    return UnitFile(before + _name(document), document.sha256, document.size)


def _name(document: Document) -> str:
    kind = document.headers.get("content-type", "").partition(";")[0].strip().lower()
    last = document.url.path.rsplit("/", 1)[-1]
    name = unicodedata.normalize("NFC", unquote(last, errors="replace")).strip()
    name = "".join(character for character in name if character.isprintable() and character not in "/\\")
    if name in ("", ".", ".."):
        return "document" + SUFFIXES.get(kind, ".html")
    return name[-NAME_CHARACTERS:]
