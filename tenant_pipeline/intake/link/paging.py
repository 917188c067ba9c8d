"""The pages of an answer, one after the other, from one host."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from tenant_pipeline.core.tables import RawObjects
from tenant_pipeline.intake.link.errors import LinkError, PageLoopError, TooLargeError
from tenant_pipeline.intake.link.fetch import Document, Fetch
from tenant_pipeline.intake.link.next_page import has_rows, next_page
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.target import checked_reference
from tenant_pipeline.intake.link.validators import Validators


def following_pages(
    asked: httpx.URL, first: Document, fetch: Fetch, raw: RawObjects, policy: LinkPolicy
) -> Iterator[Document]:
    """Fetch the pages after the first; one without rows at the end is no page.

    Raises PageLoopError where an address or a content comes twice, TooLargeError for more pages than the policy
    allows, LinkError for a page on another host, and what fetching raises.
    """
    addresses = {str(asked), str(first.url)}
    contents = {first.sha256}
    page = first
    pages = 1
    while (following := _next(page, first.url, raw, policy)) is not None:
        if str(following) in addresses:
            raise PageLoopError
        if pages == policy.max_pages:
            raise TooLargeError(
                "The answer behind the link has too many pages", remedy="Ask for larger pages, or for a part of it."
            )
        found = fetch.document(following, Validators())
        assert isinstance(found, Document)
        if found.sha256 in contents:
            raise PageLoopError
        with raw.open(found.sha256) as body:
            if not has_rows(found.url, body):
                return
        addresses |= {str(following), str(found.url)}
        contents.add(found.sha256)
        pages += 1
        page = found
        yield page


def _next(page: Document, first: httpx.URL, raw: RawObjects, policy: LinkPolicy) -> httpx.URL | None:
    """The address of the next page. The scheme stays: many a server behind a proxy takes itself for unencrypted."""
    with raw.open(page.sha256) as body:
        reference = next_page(page.url, page.headers, body)
    if reference is None:
        return None
    following = checked_reference(page.url, reference, policy)
    if following.host != first.host or following.port not in (first.port, None):
        raise LinkError("The pages behind the link go on at another host", remedy="Hand the pages in as links.")
    return following.copy_with(scheme=first.scheme, port=first.port)
