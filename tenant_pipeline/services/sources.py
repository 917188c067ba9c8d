"""Sources: what a tenant hands in, copied once into its raw zone and put in line for the nine stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tenant_pipeline.core.digest import Sha256, short_id
from tenant_pipeline.core.errors import InputError, NotFoundError, SourceWithdrawnError
from tenant_pipeline.core.origin import Origin, Unit, UnitFile, UnitMode
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key, source_id
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.target import checked_url
from tenant_pipeline.intake.unit_reader import unit_from_paths, unit_from_uploads
from tenant_pipeline.services import registry
from tenant_pipeline.services.feature_flags.overrides import SwitchedOffError, require_on
from tenant_pipeline.services.feature_flags.provider import is_on
from tenant_pipeline.services.fetched_links import FetchedLink, fetch_link, note_fetched
from tenant_pipeline.services.kept_units import keep_unit
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import require_in_service
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.telemetry.traces import traced, traceparent

LINKS = "intake.links"
WITHDRAWN = "withdrawn"
"""The status of a source that was taken out."""
_CLOCKS_DIFFER_BY = timedelta(days=1)
_FIRST_TIME = datetime(1, 1, 2, tzinfo=UTC)


class SourceInUseError(InputError):
    """A source cannot be given a new version while it is on its way through the stages."""

    code = "source-in-use"


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
    version: int
    traceparent: str = ""
    """The span in which it was put in line (W3C), for what comes of it to point back to."""

    alone: bool = False
    """Whether it is run by itself, because a run that had it in hand was ended from outside."""

    taken_in: str = ""
    """What of it was last taken into the knowledge base: see `services.taking_in`."""

    taking: int = 0
    """How often something else of it was taken in than before; 0 before the first time."""

    not_before: datetime | None = None
    """Until when it waits in line, because something around us was away."""

    hindrance: dict[str, Any] | None = None
    """Why it was stopped or set back: code, what, where, remedy, stage and run; None once it has gone on."""

    filename: str = ""
    """What a single file was called; empty for all else."""

    url: str = ""
    """The address of a link or a feed; empty for all else."""

    identity_version: int = 0
    """How often the identity of what it speaks of changed."""

    redated: int = 0
    """How often the day changed as of which its facts hold."""

    redeclared: int = 0
    """How often its rights changed."""

    withdrawal: dict[str, Any] | None = None
    """When it was withdrawn, by whom, in which role and why; None for one that was not."""

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken out: it says nothing any more."""
        return self.ingest_status == WITHDRAWN

    def as_json(self) -> dict[str, Any]:
        """The source as the command line and the API give it."""
        return {
            "tenant": self.tenant,
            "id": self.id,
            "origin": str(self.origin),
            "unit_mode": str(self.unit_mode),
            "title": self.title,
            "filename": self.filename,
            "url": self.url,
            "unit_digest": self.unit_digest,
            "rights": self.rights,
            "ingest_stage": self.ingest_stage,
            "ingest_status": self.ingest_status,
            "coverage_score": self.coverage_score,
            "conflicts_count": self.conflicts_count,
            "authority_rank": self.authority_rank,
            "observed_at": self.observed_at.isoformat() if self.observed_at else None,
            "received_at": self.received_at.isoformat(),
            "version": self.version,
            "hindrance": self.hindrance,
            "withdrawal": self.withdrawal,
        }


@traced("source.add")
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
    link_policy: LinkPolicy | None = None,
) -> Source:
    """Take in what lies at `places` (paths, or one URL for a link) as one source, and put it in line.

    The bytes are streamed into the tenant's raw zone first and the source is registered last, so that a killed
    upload leaves nothing that a reader could take for a source. The same unit under the same title is the same
    source: adding it twice changes nothing, and a link whose server says that nothing has changed is not fetched
    again. Raises InputError naming the path and what to do, and for a tenant that is out of service.
    """
    registry.require_in_service(runtime, tenant)
    if unit_mode is UnitMode.LINK:
        if not is_on(runtime, tenant, LINKS):
            raise SwitchedOffError(
                "Links are switched off for this tenant", where="link", remedy="Hand in the file itself."
            )
        if len(places) != 1:
            raise InputError("A link is one URL", where="link", remedy="Add each URL as a source of its own.")
        policy = link_policy or LinkPolicy(allow_loopback=runtime.settings.loopback_links)
        url = str(checked_url(places[0], policy))
        fetched = fetch_link(runtime, tenant, url, policy)
        unit = fetched.unit
    else:
        fetched = None
        unit = unit_from_paths(unit_mode, [Path(place) for place in places], runtime.raw_zone(tenant))
    return _register(
        runtime,
        tenant,
        unit,
        origin=origin,
        title=title,
        actor=actor,
        rights=rights,
        observed_at=observed_at,
        fetched=fetched,
    )


@traced("source.add")
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
    fetched: FetchedLink | None = None,
) -> Source:
    if not title.strip():
        raise InputError("A source needs a title", where="--title")
    require_observable(runtime, observed_at)
    keep_unit(runtime.raw_zone(tenant), unit)
    identifier = source_id(short_id("src-", (tenant, origin, unit.mode, title, unit.digest), length=16))
    with runtime.database.tenant(tenant) as connection:
        if fetched:
            require_on(connection, tenant, LINKS, runtime.now())
            note_fetched(connection, tenant, fetched)
        return insert_source(
            connection, runtime, tenant, identifier, unit, origin=origin, title=title, actor=actor, rights=rights,
            observed_at=observed_at, url=fetched.url if fetched else "",
        )  # fmt: skip


def require_observable(runtime: Runtime, observed_at: datetime | None) -> None:
    """Return for a time as of which facts can hold, also by a clock that is a little late, and for none.

    Raises InputError for one that has no zone or is before the year 1, and for a day that is still to come.
    """
    if observed_at is None:
        return
    if observed_at.tzinfo is None:
        raise InputError("The date has no zone", where="--observed-at", remedy="Such as 2026-03-01T00:00:00+07:00.")
    if observed_at < _FIRST_TIME:
        raise InputError("It cannot hold as of before the year 1", where="--observed-at", remedy="Such as 2026-03-01.")
    if observed_at > runtime.now() + _CLOCKS_DIFFER_BY:
        raise InputError(
            "It cannot hold as of a day that is still to come",
            where="--observed-at",
            remedy="The year is of the common era: 2569 of the Buddhist one is 2026.",
        )


def insert_source(
    connection: Connection,
    runtime: Runtime,
    tenant: TenantId,
    identifier: SourceId,
    unit: Unit,
    *,
    origin: Origin,
    title: str,
    actor: str,
    rights: str,
    observed_at: datetime | None,
    url: str = "",
) -> Source:
    """Register a source whose unit is kept, and put it in line; one that is there already stays as it is. Audited.

    Raises StateForbidsError for a tenant that is out of service by now, and SourceWithdrawnError for a source that was
    withdrawn: what a person took out does not come back because a file is handed in once more.
    """
    require_in_service(connection, tenant)
    inserted = connection.execute(
        """
        INSERT INTO runtime.tenant_sources
               (tenant_id, id, origin, unit_mode, title, url, unit_digest, rights, ingest_stage,
                ingest_status, authority_rank, observed_at, received_by, traceparent)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', 'received', %s, %s, %s, %s)
        ON CONFLICT (tenant_id, id) DO NOTHING
        RETURNING id
        """,
        (
            tenant,
            identifier,
            str(origin),
            str(unit.mode),
            title,
            url,
            unit.digest,
            rights,
            runtime.contracts.authority_tier(origin),
            observed_at,
            actor,
            traceparent(),
        ),
    ).fetchone()
    if inserted:
        details = {"origin": str(origin), "unit_mode": str(unit.mode), **_size_of(unit)}
        entry = AuditEntry(actor=actor, action="source.add", subject=identifier, details=details)
        runtime.audit.append(connection, tenant, [entry])
    source = get_source(connection, tenant, identifier)
    require_not_withdrawn(source)
    return source


def renew_source(
    connection: Connection,
    runtime: Runtime,
    tenant: TenantId,
    identifier: SourceId,
    unit: Unit,
    *,
    actor: str,
    observed_at: datetime,
    url: str,
) -> Source:
    """Give a source a new version of its unit, fetched from `url`, and put it in line. Audited.

    What it no longer says is retired when it is assembled; nothing is deleted.

    Raises SourceInUseError while the version before is still on its way, SourceWithdrawnError for a source that was
    withdrawn, StateForbidsError out of service.
    """
    require_in_service(connection, tenant)
    renewed = connection.execute(
        """
        UPDATE runtime.tenant_sources
           SET unit_digest = %s, version = version + 1, observed_at = %s, url = %s, ingest_stage = '',
               ingest_status = 'waiting', queued_at = clock_timestamp(), traceparent = %s
         WHERE tenant_id = %s AND id = %s AND ingest_status IN ('assembled', 'stopped')
        RETURNING version
        """,
        (unit.digest, observed_at, url, traceparent(), tenant, identifier),
    ).fetchone()
    if renewed is None:
        require_not_withdrawn(get_source(connection, tenant, identifier))
        raise SourceInUseError(
            "The version before is still on its way through the stages", where=identifier, remedy="Try again later."
        )
    details = {"version": renewed["version"], **_size_of(unit)}
    entry = AuditEntry(actor=actor, action="source.renewed", subject=identifier, details=details)
    runtime.audit.append(connection, tenant, [entry])
    return get_source(connection, tenant, identifier)


def renew_authority(connection: Connection, runtime: Runtime, source: Source) -> int:
    """Give a source the authority tier that the contract has for its origin now, if it is another; return the tier."""
    tier = runtime.contracts.authority_tier(Origin(source.origin))
    if source.authority_rank != tier:
        connection.execute(
            "UPDATE runtime.tenant_sources SET authority_rank = %s WHERE tenant_id = %s AND id = %s",
            (tier, source.tenant, source.id),
        )
    return tier


def _size_of(unit: Unit) -> dict[str, Any]:
    files = unit.files
    return {"unit_digest": unit.digest, "files": len(files), "bytes": sum(file.size for file in files)}


SOURCE_COLUMNS = """tenant_id AS tenant, id, origin, unit_mode, title, unit_digest, rights, ingest_stage,
                    ingest_status, coverage_score::double precision AS coverage_score, conflicts_count, authority_rank,
                    observed_at, received_at, queued_at, version, traceparent, alone, taken_in, taking, not_before,
                    hindrance, filename, url, identity_version, redated, redeclared, withdrawal"""
"""What a `Source` is read from: see `source_of`."""


def get_source(connection: Connection, tenant: TenantId, source: SourceId) -> Source:
    """One source. Raises NotFoundError when the tenant has none of that id."""
    row = connection.execute(
        f"SELECT {SOURCE_COLUMNS} FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s", (tenant, source)
    ).fetchone()
    if row is None:
        raise NotFoundError(
            f"There is no source {source}", where=tenant, remedy="`tenant-pipeline source list` shows them."
        )
    return source_of(row)


def lock_source(connection: Connection, tenant: TenantId, source: SourceId) -> Source:
    """As `get_source`; until the transaction ends nobody else changes it."""
    connection.execute(
        "SELECT FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s FOR NO KEY UPDATE", (tenant, source)
    )
    return get_source(connection, tenant, source)


def require_not_withdrawn(source: Source) -> None:
    """Return for a source that was not withdrawn. Raises SourceWithdrawnError for one that was."""
    if source.is_withdrawn:
        raise SourceWithdrawnError(
            "The source was withdrawn",
            where=partition_key(source.tenant, source.id),
            remedy="Where it is right after all, hand it in under another title: it is a source of its own then.",
        )


def list_sources(runtime: Runtime, tenant: TenantId) -> list[Source]:
    """The tenant's sources in the order in which they came."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            f"SELECT {SOURCE_COLUMNS} FROM runtime.tenant_sources WHERE tenant_id = %s ORDER BY received_at, id",
            (tenant,),
        ).fetchall()
    return [source_of(row) for row in rows]


def source_of(row: dict[str, Any]) -> Source:
    """The source that a row with SOURCE_COLUMNS is."""
    return Source(**{**row, "origin": Origin(row["origin"]), "unit_mode": UnitMode(row["unit_mode"])})
