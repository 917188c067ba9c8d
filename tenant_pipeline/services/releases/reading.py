"""Releases as they are recorded: what is live, what was, and what each holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class Release:
    """One immutable release. `stored_digest` names its files, `content_digest` what they say."""

    tenant: TenantId
    digest: Sha256
    version: str
    base_digest: Sha256 | None
    content_digest: Sha256
    stored_digest: Sha256
    conflicts_digest: Sha256
    template_version: str
    entities: int
    values: int
    sources: tuple[str, ...]
    changes: Mapping[str, int]
    built_by: str
    built_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The release as the command line and the API give it."""
        return {
            "release": self.digest,
            "version": self.version,
            "base": self.base_digest,
            "content_digest": self.content_digest,
            "conflicts_digest": self.conflicts_digest,
            "template_version": self.template_version,
            "entities": self.entities,
            "values": self.values,
            "sources": list(self.sources),
            "changes": dict(self.changes),
            "built_by": self.built_by,
            "built_at": self.built_at.isoformat(),
        }


def release(connection: Connection, tenant: TenantId, digest: str) -> Release:
    """One release by its digest, or by the beginning of it. Raises NotFoundError for none, or more than one."""
    rows = connection.execute(
        "SELECT * FROM runtime.releases WHERE tenant_id = %s AND starts_with(release_digest, %s) LIMIT 2",
        (tenant, digest),
    ).fetchall()
    if len(rows) != 1 or len(digest) < 8:
        raise NotFoundError(
            "There is no one release of that digest in this tenant",
            where=f"{tenant}, release",
            remedy="`tenant-pipeline release list` shows them.",
        )
    return _release(rows[0])


def release_named(connection: Connection, tenant: TenantId, name: str) -> Release:
    """One release by the version under which it was published, or by its digest's beginning.

    Raises NotFoundError for none, InputError for a version under which more than one was published.
    """
    if "." not in name:
        return release(connection, tenant, name)
    found = published_as(connection, tenant, name)
    if not found:
        raise NotFoundError(
            "No release was published as that version in this tenant",
            where=f"{tenant}, release",
            remedy="`tenant-pipeline release list` shows them.",
        )
    if len(found) > 1:
        digests = ", ".join(each.digest[:12] for each in found)
        raise InputError(
            f"{len(found)} releases were published as {name}",
            where=f"{tenant}, release",
            remedy=f"Name one: {digests}.",
        )
    return found[0]


def published_as(connection: Connection, tenant: TenantId, version: str) -> list[Release]:
    """What was published under a version: one release, or none; more where that was before versions were told apart."""
    rows = connection.execute(
        """
        SELECT release.* FROM runtime.releases AS release
         WHERE release.tenant_id = %s AND release.version = %s
           AND EXISTS (SELECT FROM runtime.publish_pipeline AS entry
                        WHERE entry.tenant_id = release.tenant_id AND entry.release_digest = release.release_digest
                          AND entry.stage = 'published')
         ORDER BY release.number
        """,
        (tenant, version),
    ).fetchall()
    return [_release(row) for row in rows]


def list_releases(connection: Connection, tenant: TenantId) -> list[Release]:
    """Every release that was built, in order."""
    rows = connection.execute(
        "SELECT * FROM runtime.releases WHERE tenant_id = %s ORDER BY number", (tenant,)
    ).fetchall()
    return [_release(row) for row in rows]


def live_release(connection: Connection, tenant: TenantId) -> Release | None:
    """The release that readers see; None before the first was published."""
    row = connection.execute(
        """
        SELECT release.* FROM runtime.publish_pipeline AS entry
          JOIN runtime.releases AS release
            ON release.tenant_id = entry.tenant_id AND release.release_digest = entry.release_digest
         WHERE entry.tenant_id = %s AND entry.stage = 'published' ORDER BY entry.id DESC LIMIT 1
        """,
        (tenant,),
    ).fetchone()
    return _release(row) if row else None


def publishing_history(connection: Connection, tenant: TenantId) -> list[dict[str, Any]]:
    """Every entry of the publishing history, in order: id, stage, release, version, what it went back to, by whom."""
    return connection.execute(
        """
        SELECT entry.id, entry.stage, entry.release_digest, release.version, entry.rollback_to, entry.approvals,
               entry.reason, entry.created_by, entry.created_at
          FROM runtime.publish_pipeline AS entry
          LEFT JOIN runtime.releases AS release
            ON release.tenant_id = entry.tenant_id AND release.release_digest = entry.release_digest
         WHERE entry.tenant_id = %s ORDER BY entry.id
        """,
        (tenant,),
    ).fetchall()


def last_published(history: Sequence[Mapping[str, Any]]) -> int:
    """The entry of the history with which what readers see was published; it has to have one."""
    return max(int(entry["id"]) for entry in history if entry["stage"] == "published")


def documents_of(runtime: Runtime, tenant: TenantId, of: Release) -> Iterator[dict[str, Any]]:
    """The documents of a release, in the order of their ids, in bounded memory. Raises IntegrityError."""
    return read_stored(runtime, tenant, of.stored_digest)


def read_stored(runtime: Runtime, tenant: TenantId, stored: Sha256) -> Iterator[dict[str, Any]]:
    """The documents of the release whose files these are."""
    for row in stored_rows(runtime, tenant, stored):
        document: dict[str, Any] = json.loads(row["document"])
        yield document


def stored_rows(runtime: Runtime, tenant: TenantId, stored: Sha256) -> Iterator[dict[str, str]]:
    """The rows of a release's file: canonical_id, type, document_digest, document (JSON)."""
    for table in runtime.stage_store(tenant).read(stored).tables("entities"):
        for frame in table.batches():
            yield from frame.to_dict("records")  # type: ignore[misc]


def _release(row: Mapping[str, Any]) -> Release:
    return Release(
        tenant=TenantId(row["tenant_id"]),
        digest=Sha256(row["release_digest"]),
        version=row["version"],
        base_digest=Sha256(row["base_digest"]) if row["base_digest"] else None,
        content_digest=Sha256(row["content_digest"]),
        stored_digest=Sha256(row["stored_digest"]),
        conflicts_digest=Sha256(row["conflicts_digest"]),
        template_version=row["template_version"],
        entities=row["entities"],
        values=row["value_count"],
        sources=tuple(row["sources"]),
        changes=row["changes"],
        built_by=row["built_by"],
        built_at=row["built_at"],
    )


def publications(runtime: Runtime) -> int:
    """How often anything was published, by any tenant, going back included."""
    with runtime.database.platform() as connection:
        row = connection.execute(
            "SELECT count(*) AS published FROM runtime.publish_pipeline WHERE stage = 'published'"
        ).fetchone()
    return int(row["published"]) if row else 0
