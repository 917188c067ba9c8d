"""What readers would see otherwise: the difference between two releases, or all that the first one brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tenant_pipeline.core.release.difference import Document, EntityChange, differences
from tenant_pipeline.core.release.version import ChangeCounts, count_changes
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.releases.reading import Release, documents_of, release_named
from tenant_pipeline.services.runtime import Runtime


@dataclass(frozen=True)
class Comparison:
    """A page of what came, went or changed, and the counts of all of it.

    `before` is None where it is compared with nothing; `next` is where the next page begins, None on the last.
    """

    before: Release | None
    after: Release
    counts: ChangeCounts
    shown: list[EntityChange]
    next: str | None


def compare_releases(
    runtime: Runtime, tenant: TenantId, before: str | None, after: str, *, limit: int, beyond: str = ""
) -> Comparison:
    """Compare two releases by their versions or digests; `beyond` is the `next` of the page before.

    What a release changes of the one that it was built on was counted then, and nothing is read behind the page. Raises
    NotFoundError for a release that is none of the tenant's.
    """
    with runtime.database.platform() as connection:
        old = None if before is None else release_named(connection, tenant, before)
        new = release_named(connection, tenant, after)
    there: Iterator[Document] = iter(()) if old is None else documents_of(runtime, tenant, old)
    page: list[EntityChange] = []

    def changes() -> Iterator[EntityChange]:
        for each in differences(there, documents_of(runtime, tenant, new)):
            if each.canonical_id > beyond and len(page) <= limit:
                page.append(each)
            yield each

    if new.base_digest == (old.digest if old else None):
        for _ in changes():
            if len(page) > limit:
                break
        counts = ChangeCounts(**new.changes)
    else:
        counts = count_changes(changes())
    return Comparison(old, new, counts, page[:limit], page[limit - 1].canonical_id if len(page) > limit else None)
