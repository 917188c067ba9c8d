"""What people have decided that changes what the stages make of a source: mappings, released refusals, declarations."""

from __future__ import annotations

from dataclasses import dataclass

from tenant_pipeline.core.mapping.mapping import MappingRules
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.declarations import Declaration
from tenant_pipeline.services.accepted_mappings import rules_of
from tenant_pipeline.services.declared_privacy import in_force
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import Connection

Refusal = tuple[str, str]
"""The locator and the code of a refusal."""


@dataclass(frozen=True)
class Decisions:
    """The mapping rules with those that the tenant accepted, the refusals of the source that a person released, the
    declarations on its personal data that are in force, and whether an agreement on personal data is signed."""

    rules: MappingRules
    released: frozenset[tuple[Stage, Refusal]]
    declarations: tuple[Declaration, ...]
    agreement_in_place: bool

    def released_from(self, stage: Stage) -> frozenset[Refusal]:
        """The refusals of one stage that a person released."""
        return frozenset(refusal for refused_by, refusal in self.released if refused_by is stage)


def decisions_of(connection: Connection, runtime: Runtime, source: Source) -> Decisions:
    """What has been decided of a source up to now."""
    rows = connection.execute(
        "SELECT stage, locator, code FROM runtime.quarantine_releases WHERE tenant_id = %s AND source_id = %s",
        (source.tenant, source.id),
    ).fetchall()
    released = frozenset((Stage(row["stage"]), (row["locator"], row["code"])) for row in rows)
    declarations = in_force(connection, source, runtime.now())
    return Decisions(
        rules_of(connection, runtime, source.tenant), released, declarations, _agreement(connection, source.tenant)
    )


def _agreement(connection: Connection, tenant: TenantId) -> bool:
    row = connection.execute("SELECT pdpa_agreement_ref FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    return bool(row and row["pdpa_agreement_ref"])
