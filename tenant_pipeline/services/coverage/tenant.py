"""The score of a tenant: counted over its entities where an entity counts once, summed over its sources elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenant_pipeline.core.coverage.dimensions import DIMENSIONS, Measure
from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.coverage.score import DimensionScore, judge
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.coverage import counting
from tenant_pipeline.services.coverage.kept_counts import kept_count
from tenant_pipeline.services.coverage.scope import Scope
from tenant_pipeline.services.coverage.timeliness import DAYS_LEFT, TIMELINESS, as_of_now
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.templates.publishing import types_asked_for
from tenant_pipeline.storage.database import Connection

OVER_ENTITIES = ("completeness", "language_completeness", "breadth", "corroboration", "consistency")
"""Dimensions in which two sources that speak of one thing complete each other: a Thai name from the one and a Chinese
name from the other are one entity with both. The others are of what each source handed in, and are summed."""


EVIDENCE = "evidence"
"""The name under which the counts of a tenant are kept."""


def scores_of_tenant(
    runtime: Runtime, connection: Connection, tenant: TenantId, *, exact: bool = True
) -> list[DimensionScore]:
    """The tenant's score in each dimension of the contract, as its knowledge base is now, or nearly so."""
    evidence = _evidence(runtime, connection, tenant, exact)
    sums = _sums(runtime, connection, tenant)
    scores = []
    for dimension in runtime.contracts.coverage_dimensions:
        if dimension.id in OVER_ENTITIES:
            measure = DIMENSIONS[dimension.id](evidence)
        else:
            measure = sums.get(dimension.id, Measure(0, 0, "", say("no source was scored yet")))
        scores.append(judge(dimension, measure.numerator, measure.denominator, measure.why))
    return scores


def _sums(runtime: Runtime, connection: Connection, tenant: TenantId) -> Mapping[str, Measure]:
    rows = connection.execute(
        f"""
        SELECT dimension, numerator, denominator, sources FROM runtime.tenant_coverage
         WHERE tenant_id = %(tenant)s AND dimension <> '{TIMELINESS}'
         UNION ALL
        SELECT '{TIMELINESS}', coalesce(sum(days_left), 0)::bigint, count(days_left) * %(period)s, count(*)
          FROM ({DAYS_LEFT}) AS source HAVING count(*) > 0
        """,
        as_of_now(runtime, tenant),
    ).fetchall()
    return {
        row["dimension"]: Measure(
            row["numerator"],
            row["denominator"],
            say(
                "{numerator:figure} of {denominator:figure} over {sources:figure} sources",
                numerator=row["numerator"],
                denominator=row["denominator"],
                sources=row["sources"],
            ),
        )
        for row in rows
    }


def _evidence(runtime: Runtime, connection: Connection, tenant: TenantId, exact: bool) -> CoverageEvidence:
    counted = kept_count(
        runtime, connection, tenant, EVIDENCE, lambda: count_evidence(runtime, connection, tenant), exact=exact
    )
    names, facts = dict(counted["names"]), counted["facts"]
    return CoverageEvidence(
        expected_slots=counted["expected"],
        filled_slots=counted["filled"],
        named_entities=names.pop("", 0),
        names_by_language=names,
        template_types=counted["types"],
        template_types_present=counted["types_present"],
        statements_mapped=0,
        statements_valid=0,
        statements=0,
        statements_traceable=0,
        facts=facts["facts"],
        facts_corroborated=facts["corroborated"],
        facts_shared=facts["shared"],
        facts_disputed=facts["disputed"],
        age_days=None,
        fresh_within_days=runtime.contracts.fresh_within_days,
        rights_declared=False,
        records_screened=0,
        records_withheld=0,
    )


def count_evidence(runtime: Runtime, connection: Connection, tenant: TenantId) -> dict[str, Any]:
    """What is counted over all statements of a tenant, in the form in which it is kept."""
    vocabulary, template = runtime.contracts.vocabulary, types_asked_for(runtime, connection, tenant)
    scope = Scope(tenant)
    expected, filled = counting.slots(connection, scope, vocabulary)
    return {
        "expected": expected,
        "filled": filled,
        "names": counting.names_by_language(connection, scope),
        "types": len(template),
        "types_present": len(counting.template_types_present(connection, scope, vocabulary, template)),
        "facts": counting.facts(connection, scope),
    }
