"""Sources: what a tenant hands in, copied once into its raw zone and put in line for the nine stages."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tenant_pipeline.core.digest import Sha256, canonical_json, short_id
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.origin import Origin, Unit, UnitFile, UnitMode
from tenant_pipeline.core.tenancy import SourceId, TenantId, source_id
from tenant_pipeline.intake.link.fetch import NotModified
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.target import checked_url
from tenant_pipeline.intake.link.unit import unit_from_link
from tenant_pipeline.intake.link.validators import Validators
from tenant_pipeline.intake.unit_reader import unit_from_paths, unit_from_uploads
from tenant_pipeline.services import registry
from tenant_pipeline.services.feature_flags.provider import is_on
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import Connection
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.object_store import RawZone

PUBLIC_LINKS = LinkPolicy()


@dataclass(frozen=True)
class Source:
    """A source as the registry knows it."""

    tenant: TenantId
    id: SourceId
    origin: Origin
    unit_mode: UnitMode
    title: str
    unit_digest: Sha256
    rights: str
    ingest_stage: str
    ingest_status: str
    coverage_score: float | None
    conflicts_count: int
    authority_rank: int
    observed_at: datetime | None
    received_at: datetime
    queued_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The source as the command line and the API give it."""
        return {
            "tenant": self.tenant,
            "id": self.id,
            "origin": str(self.origin),
            "unit_mode": str(self.unit_mode),
            "title": self.title,
            "unit_digest": self.unit_digest,
            "rights": self.rights,
            "ingest_stage": self.ingest_stage,
            "ingest_status": self.ingest_status,
            "coverage_score": self.coverage_score,
            "conflicts_count": self.conflicts_count,
            "authority_rank": self.authority_rank,
            "observed_at": self.observed_at.isoformat() if self.observed_at else None,
            "received_at": self.received_at.isoformat(),
        }


def add_source(
    runtime: Runtime,
    tenant: TenantId,
    *,
    origin: Origin,
    unit_mode: UnitMode,
    places: Sequence[str],
    title: str,
    actor: str,
    rights: str = "",
    observed_at: datetime | None = None,
    link_policy: LinkPolicy = PUBLIC_LINKS,
) -> Source:
    """Take in what lies at `places` (paths, or one URL for a link) as one source, and put it in line.

    The bytes are streamed into the tenant's raw zone first and the source is registered last, so that a killed
    upload leaves nothing that a reader could take for a source. The same unit under the same title is the same
    source: adding it twice changes nothing, and a link whose server says that nothing has changed is not fetched
    again. Raises InputError naming the path and what to do, and for a tenant that is out of service.
    """
    registry.require_in_service(runtime, tenant)
    raw = runtime.raw_zone(tenant)
    if unit_mode is UnitMode.LINK:
        if not is_on(runtime, tenant, "intake.links"):
            raise InputError("Links are switched off for this tenant", where="link", remedy="Hand in the file itself.")
        if len(places) != 1:
            raise InputError("A link is one URL", where="link", remedy="Add each URL as a source of its own.")
        url = str(checked_url(places[0], link_policy))
        unit, validators = _fetched(runtime, tenant, url, raw, link_policy)
    else:
        url, validators = "", Validators()
        unit = unit_from_paths(unit_mode, [Path(place) for place in places], raw)
    return _register(
        runtime,
        tenant,
        unit,
        origin=origin,
        title=title,
        actor=actor,
        rights=rights,
        observed_at=observed_at,
        fetched=(url, validators) if unit_mode is UnitMode.LINK else None,
    )


def add_uploaded_source(
    runtime: Runtime,
    tenant: TenantId,
    *,
    origin: Origin,
    unit_mode: UnitMode,
    files: Sequence[UnitFile],
    title: str,
    actor: str,
    rights: str = "",
    observed_at: datetime | None = None,
) -> Source:
    """As `add_source`, for files that are in the tenant's raw zone already. Raises InputError as it does."""
    registry.require_in_service(runtime, tenant)
    unit = unit_from_uploads(unit_mode, files)
    return _register(
        runtime, tenant, unit, origin=origin, title=title, actor=actor, rights=rights, observed_at=observed_at
    )


def _register(
    runtime: Runtime,
    tenant: TenantId,
    unit: Unit,
    *,
    origin: Origin,
    title: str,
    actor: str,
    rights: str,
    observed_at: datetime | None,
    fetched: tuple[str, Validators] | None = None,
) -> Source:
    unit_mode = unit.mode
    if not title.strip():
        raise InputError("A source needs a title", where="--title")
    runtime.raw_zone(tenant).put(io.BytesIO(canonical_json(unit.as_json())))
    identifier = source_id(short_id("src-", (tenant, origin, unit_mode, title, unit.digest), length=16))
    with runtime.database.tenant(tenant) as connection:
        inserted = connection.execute(
            """
            INSERT INTO runtime.tenant_sources
                   (tenant_id, id, origin, unit_mode, title, filename, url, unit_digest, rights, ingest_stage,
                    ingest_status, authority_rank, observed_at, received_by)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '', 'received', %s, %s, %s)
            ON CONFLICT (tenant_id, id) DO NOTHING
            RETURNING id
            """,
            (
                tenant,
                identifier,
                str(origin),
                str(unit_mode),
                title,
                unit.files[0].path if unit_mode is UnitMode.SINGLE_FILE else "",
                fetched[0] if fetched else "",
                unit.digest,
                rights,
                runtime.contracts.authority_tier(origin),
                observed_at,
                actor,
            ),
        ).fetchone()
        if inserted:
            runtime.audit.append(
                connection,
                tenant,
                [
                    AuditEntry(
                        actor=actor,
                        action="source.add",
                        subject=identifier,
                        details={
                            "origin": str(origin),
                            "unit_mode": str(unit_mode),
                            "unit_digest": unit.digest,
                            "files": len(unit.files),
                            "bytes": sum(file.size for file in unit.files),
                        },
                    )
                ],
            )
        if fetched:
            _note_fetch(connection, tenant, *fetched, unit)
        return get_source(connection, tenant, identifier)


def _fetched(runtime: Runtime, tenant: TenantId, url: str, raw: RawZone, policy: LinkPolicy) -> tuple[Unit, Validators]:
    """The unit behind a link and its validators: as kept, where the server says that it has not changed."""
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            """
            SELECT etag, last_modified, answered_by, unit_digest FROM runtime.fetched_links
             WHERE tenant_id = %s AND url = %s
            """,
            (tenant, url),
        ).fetchone()
    kept = _kept_unit(raw, Sha256(row["unit_digest"])) if row else None
    if row is None or kept is None:
        known = Validators()
    else:
        known = Validators(row["etag"], row["last_modified"], row["answered_by"])
    found = unit_from_link(url, raw, policy, known)
    if isinstance(found, NotModified):
        assert kept is not None
        return kept, known
    return found.unit, found.validators


def _kept_unit(raw: RawZone, digest: Sha256) -> Unit | None:
    """A unit that was handed in before, if all of it is still in the raw zone."""
    if digest not in raw:
        return None
    with raw.open(digest) as stream:
        unit = Unit.from_json(json.load(stream))
    return unit if all(file.sha256 in raw for file in unit.files) else None


def _note_fetch(connection: Connection, tenant: TenantId, url: str, validators: Validators, unit: Unit) -> None:
    connection.execute(
        """
        INSERT INTO runtime.fetched_links (tenant_id, url, etag, last_modified, answered_by, unit_digest)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, url) DO UPDATE
           SET (etag, last_modified, answered_by, unit_digest, fetched_at) =
               (EXCLUDED.etag, EXCLUDED.last_modified, EXCLUDED.answered_by, EXCLUDED.unit_digest, now())
        """,
        (tenant, url, validators.etag, validators.last_modified, validators.address, unit.digest),
    )


_COLUMNS = """tenant_id AS tenant, id, origin, unit_mode, title, unit_digest, rights, ingest_stage, ingest_status,
              coverage_score::double precision AS coverage_score, conflicts_count, authority_rank, observed_at,
              received_at, queued_at"""


def get_source(connection: Connection, tenant: TenantId, source: SourceId) -> Source:
    """One source. Raises NotFoundError when the tenant has none of that id."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s", (tenant, source)
    ).fetchone()
    if row is None:
        raise NotFoundError(
            f"There is no source {source}", where=tenant, remedy="`tenant-pipeline source list` shows them."
        )
    return _source(row)


def list_sources(runtime: Runtime, tenant: TenantId) -> list[Source]:
    """The tenant's sources in the order in which they came."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM runtime.tenant_sources WHERE tenant_id = %s ORDER BY received_at, id", (tenant,)
        ).fetchall()
    return [_source(row) for row in rows]


def waiting_sources(runtime: Runtime, limit: int) -> list[Source]:
    """Sources of all tenants that nobody has begun, or that may go on: the sensor's work list, oldest first."""
    with runtime.database.platform() as connection:
        rows = connection.execute(
            f"""
            SELECT {_COLUMNS} FROM runtime.tenant_sources
             WHERE ingest_status IN ('received', 'waiting')
             ORDER BY received_at, tenant_id, id
             LIMIT %s
            """,
            (limit,),
        ).fetchall()
    return [_source(row) for row in rows]


def set_progress(connection: Connection, tenant: TenantId, source: SourceId, stage: str, status: str) -> None:
    """Note how far a source has come; writes nothing when that is known already."""
    connection.execute(
        """
        UPDATE runtime.tenant_sources SET ingest_stage = %(stage)s, ingest_status = %(status)s
         WHERE tenant_id = %(tenant)s AND id = %(source)s
           AND (ingest_stage, ingest_status) IS DISTINCT FROM (%(stage)s, %(status)s)
        """,
        {"tenant": tenant, "source": source, "stage": stage, "status": status},
    )


def continue_later(runtime: Runtime, tenant: TenantId, source: SourceId) -> None:
    """Put a source in line again: its run went no further, through no fault of its own."""
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            """
            UPDATE runtime.tenant_sources SET ingest_status = 'waiting', queued_at = clock_timestamp()
             WHERE tenant_id = %s AND id = %s AND ingest_status = 'running'
            """,
            (tenant, source),
        )


def _source(row: dict[str, Any]) -> Source:
    return Source(**{**row, "origin": Origin(row["origin"]), "unit_mode": UnitMode(row["unit_mode"])})
