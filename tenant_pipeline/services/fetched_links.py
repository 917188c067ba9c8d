"""Links that a tenant has fetched, and what tells their servers which version of them we have."""

from __future__ import annotations

from dataclasses import dataclass

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.origin import Unit
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.intake.link.fetch import NotModified
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.unit import unit_from_link
from tenant_pipeline.intake.link.validators import Validators
from tenant_pipeline.services.kept_units import kept_unit
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.object_store import RawZone


@dataclass(frozen=True)
class FetchedLink:
    """The unit behind an address, and its validators."""

    url: str
    unit: Unit
    validators: Validators


def fetch_link(
    runtime: Runtime, tenant: TenantId, url: str, policy: LinkPolicy, credential: Credential | None = None
) -> FetchedLink:
    """The unit behind a checked address: as kept, where the server says that it has not changed. Raises LinkError."""
    raw = runtime.raw_zone(tenant)
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            """
            SELECT etag, last_modified, answered_by, unit_digest FROM runtime.fetched_links
             WHERE tenant_id = %s AND url = %s
            """,
            (tenant, url),
        ).fetchone()
    kept = _whole_unit(raw, Sha256(row["unit_digest"])) if row else None
    if row is None or kept is None:
        known = Validators()
    else:
        known = Validators(row["etag"], row["last_modified"], row["answered_by"])
    found = unit_from_link(url, raw, policy, known, credential=credential)
    if isinstance(found, NotModified):
        assert kept is not None
        return FetchedLink(url, kept, known)
    return FetchedLink(url, found.unit, found.validators)


def note_fetched(connection: Connection, tenant: TenantId, link: FetchedLink) -> None:
    """Keep what to ask its server with the next time."""
    connection.execute(
        """
        INSERT INTO runtime.fetched_links (tenant_id, url, etag, last_modified, answered_by, unit_digest)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, url) DO UPDATE
           SET (etag, last_modified, answered_by, unit_digest, fetched_at) =
               (EXCLUDED.etag, EXCLUDED.last_modified, EXCLUDED.answered_by, EXCLUDED.unit_digest, now())
        """,
        (
            tenant,
            link.url,
            link.validators.etag,
            link.validators.last_modified,
            link.validators.address,
            link.unit.digest,
        ),
    )


def _whole_unit(raw: RawZone, digest: Sha256) -> Unit | None:
    """A unit that was handed in before, if all of it is still in the raw zone."""
    if digest not in raw:
        return None
    unit = kept_unit(raw, digest)
    return unit if all(file.sha256 in raw for file in unit.files) else None
