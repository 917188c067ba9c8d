"""The score of a source: brought up to date after it was assembled, kept a row a dimension."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

from tenant_pipeline.core.coverage.dimensions import timeliness_of
from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.coverage.score import DimensionScore, judge, score, weighted
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.errors import DecidedMeanwhileError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.stage import Stage, StageCount
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.services import sources, stage_records
from tenant_pipeline.services.code_version import COVERAGE_SCORE, code_version
from tenant_pipeline.services.conflicts.items import count_open_items
from tenant_pipeline.services.coverage import counting
from tenant_pipeline.services.coverage.scope import Scope
from tenant_pipeline.services.coverage.timeliness import TIMELINESS
from tenant_pipeline.services.identity import digest_with_identity, with_rights
from tenant_pipeline.services.lineage import require_assembled
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import forget_hindrance
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.services.templates.publishing import types_asked_for
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.telemetry.traces import caused_by, traced


@traced("stage", stage=COVERAGE_SCORE)
def update_coverage(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, *, run_id: str | None = None
) -> StageRecord:
    """Score a source in every dimension of the contract and keep the scores.

    Raises SourceStoppedError when the source has not been assembled or was withdrawn, GateClosedError when a gate
    behind it is closed, and DecidedMeanwhileError where what was said of it changed while it was scored.
    """
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        sources.require_not_withdrawn(source)
        caused_by(source.traceparent)
        behind = require_assembled(connection, runtime, source)
        said = digest_with_identity(source, behind[Stage.ASSEMBLE].output_digest)
        input_digest = with_rights(said, source.redeclared)
        code = code_version(COVERAGE_SCORE, runtime.contracts)
        version, known = stage_records.standing(connection, tenant, source_id, COVERAGE_SCORE, input_digest, code)
        if known is not None:
            forget_hindrance(connection, tenant, source_id, through=True)
            return known
        started = time.perf_counter()
        evidence = _evidence(runtime, connection, source, behind)
        dimensions = runtime.contracts.coverage_dimensions
        scores = score(evidence, dimensions)
        _require_unchanged(connection, source)
        _keep(connection, source, scores, weighted(scores, dimensions), input_digest)
        # Whoever signed while it was counted is seen here.
        count_open_items(connection, tenant, [source_id], dimensions)
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
        forget_hindrance(connection, tenant, source_id, through=True)
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


def _require_unchanged(connection: Connection, scored: Source) -> None:
    """Return when the source is what was scored, and let it stay so until the transaction ends.

    Raises DecidedMeanwhileError otherwise: whoever changed it has put it in line.
    """
    now = sources.lock_source(connection, scored.tenant, scored.id)
    sources.require_not_withdrawn(now)
    if (now.identity_version, now.redated, now.redeclared) != (
        scored.identity_version, scored.redated, scored.redeclared
    ):  # fmt: skip
        raise DecidedMeanwhileError(
            "What is said of the source changed while it was scored",
            where=partition_key(scored.tenant, scored.id),
            remedy="It is in line, to be scored anew.",
        )


def scores_of_source(
    runtime: Runtime, connection: Connection, tenant: TenantId, source: SourceId
) -> list[DimensionScore]:
    """The source's scores as they are kept, but for its timeliness, which is as of now."""
    rows = connection.execute(
        """
        SELECT score.dimension, score.numerator, score.denominator, score.band, score.explanation, source.observed_at
          FROM runtime.coverage_scores AS score
          JOIN runtime.tenant_sources AS source ON source.tenant_id = score.tenant_id AND source.id = score.source_id
         WHERE score.tenant_id = %s AND score.source_id = %s
        """,
        (tenant, source),
    ).fetchall()
    dimensions = {each.id: each for each in runtime.contracts.coverage_dimensions}
    scores = []
    for row in rows:
        age = _age_days(runtime, row.pop("observed_at"))
        if row["dimension"] == TIMELINESS and TIMELINESS in dimensions:
            measure = timeliness_of(age, runtime.contracts.fresh_within_days)
            scores.append(judge(dimensions[TIMELINESS], measure.numerator, measure.denominator, measure.why))
        else:
            scores.append(DimensionScore(**{**row, "band": Band(row["band"])}))
    return scores


def _age_days(runtime: Runtime, observed_at: datetime | None) -> int | None:
    return (runtime.now() - observed_at).days if observed_at else None


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
    vocabulary, template = runtime.contracts.vocabulary, types_asked_for(runtime, connection, source.tenant)
    scope = Scope(source.tenant, source.id)
    slots = counting.slots(connection, scope, vocabulary)
    names = counting.names_by_language(connection, scope)
    facts = counting.facts(connection, scope)
    statements = scope.rows(
        connection,
        "SELECT count(*) AS all, count(*) FILTER (WHERE locator <> '' AND method <> '') AS traceable FROM mine",
    )[0]
    return CoverageEvidence(
        expected_slots=slots[0],
        filled_slots=slots[1],
        named_entities=names.pop("", 0),
        names_by_language=names,
        template_types=len(template),
        template_types_present=len(counting.template_types_present(connection, scope, vocabulary, template)),
        # One statement can become several when it is standardised, so what came out is counted and not what went in.
        statements_mapped=behind[Stage.STANDARDISE].rejected + behind[Stage.VALIDATE].rows_in,
        statements_valid=behind[Stage.VALIDATE].rows_out,
        statements=statements["all"],
        statements_traceable=statements["traceable"],
        facts=facts["facts"],
        facts_corroborated=facts["corroborated"],
        facts_shared=facts["shared"],
        facts_disputed=facts["disputed"],
        age_days=_age_days(runtime, source.observed_at),
        fresh_within_days=runtime.contracts.fresh_within_days,
        rights_declared=bool(source.rights.strip()),
        records_screened=behind[Stage.SCREEN].rows_in,
        records_withheld=behind[Stage.SCREEN].quarantined,
    )
