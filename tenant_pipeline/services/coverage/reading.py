"""Coverage as people read it: scores with the band that each counts as, and what would lift them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.coverage.override import CoverageOverride, CoverageVerdict, counted_as, coverage_verdict
from tenant_pipeline.core.coverage.score import DimensionScore, Distance, distance
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.coverage.kept_counts import kept_count, outdated_since
from tenant_pipeline.services.coverage.overrides import overrides_in_force
from tenant_pipeline.services.coverage.scope import Scope
from tenant_pipeline.services.coverage.scoring import scores_of_source
from tenant_pipeline.services.coverage.shortfalls import Lift, Shortfall, shortfall
from tenant_pipeline.services.coverage.tenant import EVIDENCE, scores_of_tenant
from tenant_pipeline.services.coverage.timeliness import TIMELINESS
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class ReadDimension:
    """A dimension's score, the band that it counts as, and the override in force that makes it so."""

    dimension: CoverageDimension
    found: DimensionScore
    override: CoverageOverride | None

    @property
    def counts_as(self) -> Band:
        """The band that the dimension counts as."""
        return counted_as(self.found, self.override)

    @property
    def lacks(self) -> bool:
        """Whether there is anything that would lift the score."""
        return self.found.numerator != self.found.denominator

    @property
    def to_next(self) -> Distance | None:
        """How far the score is from the next better band."""
        return distance(self.dimension, self.found)

    def as_json(self, tell: Tell = in_english) -> dict[str, Any]:
        """The dimension as the command line and the API give it, its sentence as `tell` says it."""
        override, to_next = self.override, self.to_next
        return {
            "dimension": self.dimension.id,
            "band": str(self.found.band),
            "counts_as": str(self.counts_as),
            "score": self.found.score,
            "numerator": self.found.numerator,
            "denominator": self.found.denominator,
            "pass_at": self.dimension.pass_at,
            "warn_at": self.dimension.warn_at,
            "blocking": self.dimension.blocking,
            "overridable": self.dimension.overridable,
            "explanation": tell(self.found.explanation),
            "needed_for_next_band": to_next.needed if to_next else None,
            "next_band": str(to_next.band) if to_next else None,
            "override": None
            if override is None
            else {
                "floor": str(override.floor),
                "reason": override.reason,
                "approver": override.approver,
                "role": override.role,
                "expires_at": override.expires_at.isoformat(),
            },
        }


def read_coverage(
    runtime: Runtime, tenant: TenantId, source: SourceId | None = None, *, exact: bool = True
) -> list[ReadDimension]:
    """The dimensions of a source, or of the tenant, in the contract's order; those that were scored.

    Where it need not be `exact`, a large tenant's may be those of a little while ago: `coverage_outdated_since`.
    """
    with runtime.database.tenant(tenant) as connection:
        return _read(runtime, connection, tenant, source, exact)


def explain_coverage(
    runtime: Runtime,
    tenant: TenantId,
    source: SourceId | None = None,
    *,
    blocking: bool | None = None,
    exact: bool = True,
) -> list[tuple[ReadDimension, Shortfall]]:
    """The same, each with what it lacks and what would lift it most; only those that are `blocking`, or are not."""
    with runtime.database.tenant(tenant) as connection:
        return [
            (each, _shortfall(runtime, connection, Scope(tenant, source), each, exact))
            for each in _read(runtime, connection, tenant, source, exact)
            if blocking in (None, each.dimension.blocking)
        ]


def coverage_outdated_since(
    runtime: Runtime, tenant: TenantId, source: SourceId | None = None, *, explained: Sequence[str] = ()
) -> datetime | None:
    """When what is told of coverage was counted, where the knowledge base has changed since; None where it has not.

    That is the score, and what the dimensions that are `explained` lack.
    """
    subjects = [] if source else [EVIDENCE]
    kept = [dimension for dimension in explained if dimension != TIMELINESS]
    subjects += [_shortfall_named(Scope(tenant, source), dimension) for dimension in kept]
    with runtime.database.tenant(tenant) as connection:
        return outdated_since(connection, tenant, subjects)


def verdict_of_tenant(runtime: Runtime, tenant: TenantId, *, exact: bool = True) -> CoverageVerdict:
    """Whether the tenant is green, as going live asks for: every blocking dimension counts as passed."""
    with runtime.database.tenant(tenant) as connection:
        return coverage_verdict(
            scores_of_tenant(runtime, connection, tenant, exact=exact),
            runtime.contracts.coverage_dimensions,
            overrides_in_force(connection, tenant, runtime.now()),
        )


def _shortfall(runtime: Runtime, connection: Connection, scope: Scope, read: ReadDimension, exact: bool) -> Shortfall:
    if not read.lacks:
        return Shortfall()
    dimension = read.dimension.id
    if dimension == TIMELINESS:
        return shortfall(runtime, connection, scope, dimension)
    kept = kept_count(
        runtime, connection, scope.tenant, _shortfall_named(scope, dimension),
        lambda: asdict(shortfall(runtime, connection, scope, dimension)), exact=exact,
    )  # fmt: skip
    return Shortfall(tuple(kept["groups"]), tuple(Lift(**lift) for lift in kept["lifts"]))


def _shortfall_named(scope: Scope, dimension: str) -> str:
    return f"shortfall of {dimension}" + (f" in {scope.source}" if scope.source else "")


def _read(
    runtime: Runtime, connection: Connection, tenant: TenantId, source: SourceId | None, exact: bool
) -> list[ReadDimension]:
    scores = (
        scores_of_source(runtime, connection, tenant, source)
        if source
        else scores_of_tenant(runtime, connection, tenant, exact=exact)
    )
    found = {each.dimension: each for each in scores}
    overrides = overrides_in_force(connection, tenant, runtime.now())
    return [
        ReadDimension(dimension, found[dimension.id], overrides.get(dimension.id))
        for dimension in runtime.contracts.coverage_dimensions
        if dimension.id in found
    ]
