"""Build a release from the draft: written where no reader looks, under the digest of what it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256, canonical_json, sha256_of_json
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.lifecycle import TenantState
from tenant_pipeline.core.release.difference import differences
from tenant_pipeline.core.release.document import EntityDocument, entity_documents
from tenant_pipeline.core.release.version import FIRST, ChangeCounts, count_changes, next_version
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.releases.judged import require_judged
from tenant_pipeline.services.releases.reading import (
    Release,
    documents_of,
    live_release,
    published_as,
    read_stored,
    release,
)
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import state_of
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

ENTITIES = "entities"
ROWS_AT_ONCE = 2_000
_TEXT = pd.ArrowDtype(pa.string())

_FACTS = """
SELECT fact.canonical_id, fact.type AS entity_type, fact.property, fact.lang, fact.value, fact.datatype,
       fact.valid_from, fact.valid_to, fact.source_id, source.title AS source_title, fact.origin,
       fact.authority_tier, source.rights, fact.locator, fact.method,
       to_char(fact.observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS observed_at
  FROM runtime.statement_facts AS fact
  JOIN runtime.tenant_sources AS source ON source.tenant_id = fact.tenant_id AND source.id = fact.source_id
 WHERE fact.tenant_id = %(tenant)s
 ORDER BY fact.canonical_id COLLATE "C", fact.property COLLATE "C", fact.lang COLLATE "C", fact.value COLLATE "C",
          fact.valid_from COLLATE "C", fact.valid_to COLLATE "C", fact.authority_tier, fact.source_id, fact.statement_id
"""

_RESOLVED = """
SELECT canonical_id, property, lang, value, decision, signed
  FROM runtime.resolved_values
 WHERE tenant_id = %(tenant)s
 ORDER BY canonical_id COLLATE "C", property COLLATE "C", lang COLLATE "C", value COLLATE "C"
"""

_CONFLICTS = """
SELECT conflict_id, status, candidates_digest, signature_number
  FROM runtime.conflicts WHERE tenant_id = %(tenant)s AND status <> 'stale' ORDER BY conflict_id COLLATE "C"
"""


class EmptyDraftError(InputError):
    """There is nothing in the draft that could be released."""


@dataclass(frozen=True)
class Candidate:
    """A release that was built: what is approved, and how it differs from what is live.

    `is_live` where it is what readers see already: a tenant that went back to draft has that approved again.
    """

    release: Release
    changes: ChangeCounts
    is_live: bool = False


def build_candidate(runtime: Runtime, tenant: TenantId, *, requested_by: str) -> Candidate:
    """Build the release that the tenant's draft would make now. Audited; visible to no reader.

    The draft is read in one snapshot and in bounded memory, and compared with what is live while others publish; then
    anew with what they have published. The same draft gives the same release, however often it is built, and a killed
    build leaves nothing. Raises EmptyDraftError, ReleaseRefusedError where sources have yet to be judged, and
    InputError where the draft is what is live already of a tenant that is past draft.
    """
    row = registry.show_tenant(runtime, tenant)
    draft = _stored_draft(runtime, tenant)
    while True:
        with runtime.database.platform() as connection:
            live = live_release(connection, tenant)
        changes = _changes(runtime, tenant, live, draft)
        with runtime.database.platform() as connection:
            connection.execute("SELECT app.lock('release of', %s)", (tenant,))
            if live_release(connection, tenant) != live:
                continue
            if live is not None and live.content_digest == draft.content_digest:
                if state_of(connection, tenant) is TenantState.DRAFT:
                    return Candidate(live, changes, is_live=True)
                raise InputError(
                    f"The draft is what is live already, in version {live.version}",
                    where=tenant,
                    remedy="Change something in it, or go back to an earlier release.",
                )
            base = live.digest if live else None
            about = {
                "tenant": tenant,
                "base": base,
                "content": draft.content_digest,
                "conflicts": draft.conflicts_digest,
                "template_version": row["template_version"],
            }
            version, digest = _named(connection, tenant, live, changes, about)
            inserted = connection.execute(
                """
                INSERT INTO runtime.releases
                       (tenant_id, release_digest, version, base_digest, content_digest, stored_digest,
                        conflicts_digest, template_version, entities, value_count, sources, changes, built_by, built_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT (tenant_id, release_digest) DO NOTHING
                """,
                (
                    tenant, digest, version, base, draft.content_digest, draft.stored_digest, draft.conflicts_digest,
                    row["template_version"], draft.entities, draft.values, Jsonb(sorted(draft.sources)),
                    Jsonb(asdict(changes)), requested_by, runtime.now(),
                ),
            ).rowcount  # fmt: skip
            if inserted:
                connection.execute(
                    """
                    INSERT INTO runtime.publish_pipeline (tenant_id, stage, release_digest, created_by)
                    VALUES (%s, 'draft', %s, %s)
                    """,
                    (tenant, digest, requested_by),
                )
                details = {"version": version, "entities": draft.entities, "values": draft.values, "base": base}
                entry = AuditEntry(actor=requested_by, action="release.built", subject=digest, details=details)
                runtime.audit.append(connection, tenant, [entry])
            return Candidate(release(connection, tenant, digest), changes)


@dataclass(frozen=True)
class _StoredDraft:
    """What a draft says, as it is stored: digests of its documents, of their file and of its conflicts, and counts."""

    content_digest: Sha256
    stored_digest: Sha256
    conflicts_digest: Sha256
    entities: int
    values: int
    sources: frozenset[str]


def _stored_draft(runtime: Runtime, tenant: TenantId) -> _StoredDraft:
    """Store the documents of the tenant's draft, of one snapshot. Raises EmptyDraftError, ReleaseRefusedError."""
    store = runtime.stage_store(tenant)
    content = hashlib.sha256()
    entities = values = 0
    source_ids: set[str] = set()
    with runtime.database.tenant(tenant) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        require_judged(connection, tenant)
        conflicts = hashlib.sha256()
        for item in _stream(connection, tenant, _CONFLICTS, "conflicts"):
            conflicts.update(canonical_json(item) + b"\n")
        with store.write("release", Sha256(conflicts.hexdigest()), "1", encrypted=True) as output:
            with output.table(ENTITIES, ENTITIES) as table:
                facts = _stream(connection, tenant, _FACTS, "facts")
                resolved = _stream(connection, tenant, _RESOLVED, "resolved")
                batch: list[EntityDocument] = []
                for document in entity_documents(facts, resolved):
                    content.update(f"{document.canonical_id}\0{document.digest}\n".encode())
                    entities, values = entities + 1, values + len(document.values)
                    source_ids.update(source["source_id"] for value in document.values for source in value["sources"])
                    batch.append(document)
                    if len(batch) == ROWS_AT_ONCE:
                        table.write(_frame(batch))
                        batch.clear()
                if batch:
                    table.write(_frame(batch))
            if not entities:
                raise EmptyDraftError(
                    "The draft knowledge base is empty",
                    where=tenant,
                    remedy="Take in sources and let them be assembled.",
                )
            stored = output.commit(())
    return _StoredDraft(
        Sha256(content.hexdigest()), stored, Sha256(conflicts.hexdigest()), entities, values, frozenset(source_ids)
    )


def _changes(runtime: Runtime, tenant: TenantId, live: Release | None, draft: _StoredDraft) -> ChangeCounts:
    """How the release that was stored differs from what is live: of large ones it takes minutes."""
    if live is not None and live.content_digest == draft.content_digest:
        return count_changes(())
    return count_changes(
        differences(
            documents_of(runtime, tenant, live) if live else iter(()), read_stored(runtime, tenant, draft.stored_digest)
        )
    )


def _named(
    connection: Connection, tenant: TenantId, live: Release | None, changes: ChangeCounts, about: Mapping[str, Any]
) -> tuple[str, Sha256]:
    """The version and the digest of a release that is built on what is live.

    Where one went back to an earlier release, the next version may be another release's: then it is the one after that.
    """
    version = next_version(live.version, changes) if live else FIRST
    while True:
        digest = sha256_of_json({**about, "version": version})
        if all(each.digest == digest for each in published_as(connection, tenant, version)):
            return version, digest
        version = next_version(version, changes)


def _frame(documents: list[EntityDocument]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "canonical_id": [each.canonical_id for each in documents],
            "type": [each.type for each in documents],
            "document_digest": [each.digest for each in documents],
            "document": [canonical_json(each.content).decode() for each in documents],
        },
        dtype=_TEXT,
    )


def _stream(connection: Connection, tenant: TenantId, query: str, name: str) -> Iterator[dict[str, Any]]:
    with connection.cursor(name=f"release_{name}") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        yield from cursor.execute(query, {"tenant": tenant})
