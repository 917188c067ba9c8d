"""The consistency of sources kept true between two scorings, by what takes part in the matrix: no source is read again.

A shared fact of a source is disputed where an open item of the matrix that differs has the source beside another. So
what a decision settles, or a comparison disputes, is counted from the items, and only sources whose count is another
than before are judged again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from tenant_pipeline.core.contract_terms import CoverageDimension
from tenant_pipeline.core.coverage.dimensions import consistency_of
from tenant_pipeline.core.coverage.score import DimensionScore, judge, weighted
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.database import Connection

CONSISTENCY = "consistency"

Counted = tuple[str, int, int]
"""A source, how many of its facts stand in the matrix beside another source's, and how many of these are disputed."""

# A source that was scored before another spoke of its things shares at least what stands in the matrix.
_OUTDATED = """
SELECT kept.source_id, counted.disputed, greatest(kept.denominator, counted.shared) AS shared
  FROM unnest(%(sources)s::text[], %(shared)s::bigint[], %(disputed)s::bigint[])
       AS counted (source_id, shared, disputed)
  JOIN runtime.coverage_scores AS kept
    ON kept.tenant_id = (SELECT %(tenant)s::text) AND kept.source_id = counted.source_id
   AND kept.dimension = %(dimension)s
 WHERE (kept.numerator, kept.denominator)
       <> (greatest(kept.denominator, counted.shared) - counted.disputed, greatest(kept.denominator, counted.shared))
"""

_KEEP = """
UPDATE runtime.coverage_scores AS kept
   SET numerator = found.numerator, denominator = found.denominator, score = found.score, band = found.band,
       explanation = found.explanation
  FROM unnest(%(sources)s::text[], %(numerators)s::bigint[], %(denominators)s::bigint[], %(scores)s::float8[],
              %(bands)s::text[], %(explanations)s::text[])
       AS found (source_id, numerator, denominator, score, band, explanation)
 WHERE kept.tenant_id = (SELECT %(tenant)s::text) AND kept.dimension = %(dimension)s
   AND kept.source_id = found.source_id
"""

_SHOW = """
UPDATE runtime.tenant_sources AS source SET coverage_score = found.score
  FROM unnest(%(sources)s::text[], %(scores)s::float8[]) AS found (source_id, score)
 WHERE source.tenant_id = (SELECT %(tenant)s::text) AND source.id = found.source_id
"""


def keep_consistency(
    connection: Connection, tenant: TenantId, counted: Sequence[Counted], dimensions: Sequence[CoverageDimension]
) -> None:
    """Bring the consistency of these sources, and the score that is shown for each, up to date with what was counted.

    Sources that were not scored yet stay so. The caller holds the lock on each.
    """
    dimension = next((each for each in dimensions if each.id == CONSISTENCY), None)
    if dimension is None:
        return
    named: dict[str, Any] = {"tenant": tenant, "dimension": CONSISTENCY}
    outdated = connection.execute(
        _OUTDATED,
        {
            **named,
            "sources": [source for source, _, _ in counted],
            "shared": [shared for _, shared, _ in counted],
            "disputed": [disputed for _, _, disputed in counted],
        },
    ).fetchall()
    if not outdated:
        return
    changed = [row["source_id"] for row in outdated]
    measures = [consistency_of(row["shared"], row["disputed"]) for row in outdated]
    found = [judge(dimension, each.numerator, each.denominator, each.why) for each in measures]
    connection.execute(
        _KEEP,
        {
            **named,
            "sources": changed,
            "numerators": [each.numerator for each in found],
            "denominators": [each.denominator for each in found],
            "scores": [each.score for each in found],
            "bands": [str(each.band) for each in found],
            "explanations": [each.explanation for each in found],
        },
    )
    scores = _scores(connection, tenant, changed)
    connection.execute(
        _SHOW,
        {
            "tenant": tenant,
            "sources": changed,
            "scores": [weighted(scores[source], dimensions) for source in changed],
        },
    )


def _scores(connection: Connection, tenant: TenantId, sources: Sequence[str]) -> dict[str, list[DimensionScore]]:
    scores: dict[str, list[DimensionScore]] = defaultdict(list)
    for row in connection.execute(
        """
        SELECT source_id, dimension, numerator, denominator, band, explanation
          FROM runtime.coverage_scores WHERE tenant_id = %s AND source_id = ANY(%s)
        """,
        (tenant, list(sources)),
    ):
        source = row.pop("source_id")
        scores[source].append(DimensionScore(**{**row, "band": Band(row["band"])}))
    return scores
