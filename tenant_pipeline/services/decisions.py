"""What people have decided that changes what the stages make of a source: mappings, released refusals, declarations."""

from __future__ import annotations

from dataclasses import dataclass

from tenant_pipeline.core.mapping.mapping import MappingRules
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.overruled import OverruledRefusal
from tenant_pipeline.pii.declarations import Declaration
from tenant_pipeline.services.accepted_mappings import rules_of
from tenant_pipeline.services.declared_privacy import in_force
from tenant_pipeline.services.quarantine_releases import releases_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class Decisions:
    """The mapping rules with those that the tenant accepted, the refusals of the source that a person released, the
    declarations on its personal data that are in force, and whether an agreement on personal data is signed."""

    rules: MappingRules
    released: frozenset[tuple[Stage, OverruledRefusal]]
    declarations: tuple[Declaration, ...]
    agreement_in_place: bool

    def released_from(self, stage: Stage) -> frozenset[OverruledRefusal]:
        """The refusals of one stage that a person released."""
        return frozenset(release for refused_by, release in self.released if refused_by is stage)


def decisions_of(connection: Connection, runtime: Runtime, source: Source) -> Decisions:
    """What has been decided of a source up to now."""
    released = frozenset((each.stage, each.release) for each in releases_of(connection, source))
    declarations = in_force(connection, source, runtime.now())
    return Decisions(
        rules_of(connection, runtime, source.tenant), released, declarations, _agreement(connection, source.tenant)
    )


def _agreement(connection: Connection, tenant: TenantId) -> bool:
    row = connection.execute("SELECT pdpa_agreement_ref FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    return bool(row and (row["pdpa_agreement_ref"] or "").strip())
