"""The coverage score: counted in SQL, judged by the contract's formulas, kept a row a source and dimension."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tenant_pipeline.core.coverage.dimensions import LANGUAGES
from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.coverage.score import DimensionScore, judge, score, weighted
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.stage import Stage, StageCount
from tenant_pipeline.core.statement import AI_TIER
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.services import sources, stage_records
from tenant_pipeline.services.code_version import COVERAGE_SCORE, code_version
from tenant_pipeline.services.identity import digest_with_identity
from tenant_pipeline.services.lineage import require_assembled
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import Connection, StageRecord
from tenant_pipeline.storage.audit_log import AuditEntry


def update_coverage(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, *, run_id: str | None = None
) -> StageRecord:
    """Score a source in every dimension of the contract and keep the scores.

    Raises SourceStoppedError when the source has not been assembled, GateClosedError when a gate behind it is closed.
    """
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        behind = require_assembled(connection, runtime, source)
        input_digest = digest_with_identity(connection, tenant, source_id, behind[Stage.ASSEMBLE].output_digest)
        version = code_version(COVERAGE_SCORE)
        known = stage_records.find(connection, tenant, source_id, COVERAGE_SCORE, input_digest, version)
        if known is not None:
            return known
        started = time.perf_counter()
        evidence = _evidence(runtime, connection, source, behind)
        dimensions = runtime.contracts.coverage_dimensions
        scores = score(evidence, dimensions)
        _keep(connection, source, scores, weighted(scores, dimensions), input_digest)
        record = StageRecord(
            stage=COVERAGE_SCORE,
            input_digest=input_digest,
            code_version=version,
            output_digest=sha256_of_json([[each.dimension, each.numerator, each.denominator] for each in scores]),
            counts=(
                StageCount("kept statement", evidence.statements, evidence.statements, 0, 0, len(scores), "score"),
            ),
            reject_codes={},
            seconds=time.perf_counter() - started,
            run_id=run_id,
        )
        stage_records.insert(connection, tenant, source_id, record)
        runtime.audit.append(
            connection,
            tenant,
            [
                AuditEntry(
                    actor="pipeline",
                    action="coverage.scored",
                    subject=source_id,
                    details={each.dimension: f"{each.numerator}/{each.denominator} {each.band}" for each in scores},
                )
            ],
        )
    return record


def coverage_of_source(runtime: Runtime, tenant: TenantId, source: SourceId) -> list[dict[str, Any]]:
    """The source's scores in the contract's order."""
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            """
            SELECT dimension, numerator, denominator, score, band, explanation
              FROM runtime.coverage_scores WHERE tenant_id = %s AND source_id = %s
            """,
            (tenant, source),
        ).fetchall()
    return _in_order(runtime, rows)


def coverage_of_tenant(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """The tenant's scores: numerators and denominators summed over its sources, judged by the same thresholds."""
    with runtime.database.tenant(tenant) as connection:
        sums = connection.execute(
            "SELECT dimension, numerator, denominator, sources FROM runtime.tenant_coverage WHERE tenant_id = %s",
            (tenant,),
        ).fetchall()
    dimensions = {dimension.id: dimension for dimension in runtime.contracts.coverage_dimensions}
    rows = []
    for row in sums:
        reason = f"{row['numerator']} of {row['denominator']} over {row['sources']} sources"
        judged = judge(dimensions[row["dimension"]], row["numerator"], row["denominator"], reason)
        rows.append(
            {
                "dimension": judged.dimension,
                "numerator": judged.numerator,
                "denominator": judged.denominator,
                "score": judged.score,
                "band": str(judged.band),
                "explanation": judged.explanation,
            }
        )
    return _in_order(runtime, rows)


def _in_order(runtime: Runtime, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {row["dimension"]: row for row in rows}
    return [
        {**found[dimension.id], "blocking": dimension.blocking}
        for dimension in runtime.contracts.coverage_dimensions
        if dimension.id in found
    ]


def _keep(
    connection: Connection,
    source: Source,
    scores: tuple[DimensionScore, ...],
    display: float | None,
    input_digest: str,
) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO runtime.coverage_scores
                   (tenant_id, source_id, dimension, numerator, denominator, score, band, explanation, input_digest)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (tenant_id, source_id, dimension) DO UPDATE
               SET numerator = excluded.numerator, denominator = excluded.denominator, score = excluded.score,
                   band = excluded.band, explanation = excluded.explanation, input_digest = excluded.input_digest
            """,
            [
                (source.tenant, source.id, each.dimension, each.numerator, each.denominator, each.score,
                 str(each.band), each.explanation, input_digest)
                for each in scores
            ],
        )  # fmt: skip
    connection.execute(
        "UPDATE runtime.tenant_sources SET coverage_score = %s WHERE tenant_id = %s AND id = %s",
        (display, source.tenant, source.id),
    )


def _evidence(
    runtime: Runtime, connection: Connection, source: Source, behind: Mapping[Stage, StageRecord]
) -> CoverageEvidence:
    vocabulary, template = runtime.contracts.vocabulary, runtime.contracts.template_types
    slots = _slots(connection, source, vocabulary)
    names = _names(connection, source)
    facts = _facts(connection, source)
    present = {row["type"] for row in _rows(connection, source, "SELECT DISTINCT type FROM mine")}
    statements = _rows(
        connection,
        source,
        "SELECT count(*) AS all, count(*) FILTER (WHERE locator <> '' AND method <> '') AS traceable FROM mine",
    )[0]
    age = (runtime.now() - source.observed_at).days if source.observed_at else None
    return CoverageEvidence(
        expected_slots=slots[0],
        filled_slots=slots[1],
        named_entities=names.pop("", 0),
        names_by_language=names,
        template_types=len(template),
        template_types_present=sum(any(_is_a(vocabulary, type_, wanted) for type_ in present) for wanted in template),
        # One statement can become several when it is standardised, so what came out is counted and not what went in.
        statements_mapped=behind[Stage.STANDARDISE].rejected + behind[Stage.VALIDATE].rows_in,
        statements_valid=behind[Stage.VALIDATE].rows_out,
        statements=statements["all"],
        statements_traceable=statements["traceable"],
        facts=facts["facts"],
        facts_corroborated=facts["corroborated"],
        facts_shared=facts["shared"],
        facts_disputed=facts["disputed"],
        age_days=age,
        fresh_within_days=runtime.contracts.fresh_within_days,
        rights_declared=bool(source.rights.strip()),
        records_screened=behind[Stage.SCREEN].rows_in,
        records_withheld=behind[Stage.SCREEN].quarantined,
    )


def _slots(connection: Connection, source: Source, vocabulary: Vocabulary) -> tuple[int, int]:
    """Expected (entity, property) pairs of the source's entities, and how many of them are filled."""
    pairs = [(name, expected) for name, definition in vocabulary.types.items() for expected in definition.expected]
    row = _rows(
        connection,
        source,
        """
        SELECT count(*) AS expected,
               count(*) FILTER (WHERE EXISTS (
                   SELECT FROM mine AS said
                    WHERE said.entity_id = entity.entity_id AND said.property = wanted.property)) AS filled
          FROM (SELECT DISTINCT entity_id, type FROM mine) AS entity
          JOIN unnest(%(types)s::text[], %(properties)s::text[]) AS wanted (type, property) USING (type)
        """,
        types=[type_ for type_, _ in pairs],
        properties=[property_ for _, property_ in pairs],
    )[0]
    return row["expected"], row["filled"]


def _names(connection: Connection, source: Source) -> dict[str, int]:
    """How many entities have a name in each language; under "" how many have any."""
    rows = _rows(
        connection,
        source,
        "SELECT lang, count(DISTINCT entity_id) AS entities FROM mine WHERE property = 'name' GROUP BY ROLLUP (lang)",
    )
    return {row["lang"] or "": row["entities"] for row in rows if row["lang"] is None or row["lang"] in LANGUAGES}


def _facts(connection: Connection, source: Source) -> dict[str, int]:
    """The source's facts: how many, said the same by another that is no AI, shared with another, and disputed."""
    return _rows(
        connection,
        source,
        """
        SELECT count(*) AS facts,
               count(*) FILTER (WHERE others.agreeing > 0) AS corroborated,
               count(*) FILTER (WHERE others.speaking > 0) AS shared,
               count(*) FILTER (WHERE others.speaking > 0 AND EXISTS (
                   SELECT FROM runtime.conflicts AS conflict
                    WHERE conflict.tenant_id = %(tenant)s AND conflict.canonical_id = fact.canonical_id
                      AND conflict.property = fact.property AND conflict.lang = fact.lang
                      AND conflict.verdict = 'differs' AND conflict.status = 'open')) AS disputed
          FROM (SELECT canonical_id, property, lang, array_agg(DISTINCT value) AS values FROM mine
                 GROUP BY canonical_id, property, lang) AS fact
          CROSS JOIN LATERAL (
                SELECT count(*) AS speaking,
                       count(*) FILTER (WHERE other.value = ANY(fact.values) AND other.authority_tier < %(ai_tier)s
                                          AND other.origin NOT IN ('chatgpt', 'claude', 'gemini', 'perplexity')
                                        ) AS agreeing
                  FROM runtime.statement_facts AS other
                 WHERE other.tenant_id = %(tenant)s AND other.canonical_id = fact.canonical_id
                   AND other.property = fact.property AND other.lang = fact.lang AND other.source_id <> %(source)s
               ) AS others
        """,
        ai_tier=AI_TIER,
    )[0]


def _rows(connection: Connection, source: Source, query: str, **parameters: object) -> list[dict[str, Any]]:
    """Rows of a query over `mine`: the statements of this source."""
    mine = """
        WITH mine AS MATERIALIZED (
            SELECT * FROM runtime.statement_facts WHERE tenant_id = %(tenant)s AND source_id = %(source)s)
    """
    named = {"tenant": source.tenant, "source": source.id, **parameters}
    return connection.execute(f"{mine} {query}", named).fetchall()


def _is_a(vocabulary: Vocabulary, type_: str, ancestor: str) -> bool:
    name: str | None = type_
    while name is not None:
        if name == ancestor:
            return True
        name = vocabulary.type(name).parent
    return False
