"""The conflict matrix, kept up source by source: only the entities that a source speaks of are compared again."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.conflict.find import find_conflicts
from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.stage import Stage, StageCount
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import sources, stage_records
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, code_version
from tenant_pipeline.services.conflicts.items import PIPELINE, FoundItems, Kept
from tenant_pipeline.services.conflicts.standings import standings_of
from tenant_pipeline.services.identity import digest_with_identity
from tenant_pipeline.services.lineage import require_assembled
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.statements import candidates_for_source
from tenant_pipeline.telemetry.traces import caused_by, traced


@dataclass(frozen=True)
class ComparedSource:
    """How many candidates were compared into how many items, a digest of these, and what became of the matrix."""

    candidates: int
    items: int
    digest: Sha256
    kept: Kept


@traced("stage", stage=CONFLICT_MATRIX)
def update_conflicts(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, *, run_id: str | None = None
) -> StageRecord:
    """Compare what this source says with what the tenant's other sources say of the same things, and keep the items.

    An item covers all sources that speak of it, so the counts of the others are brought up to date too. Items that
    there is no longer reason for become stale, and what was signed is open again where its candidates changed. Raises
    SourceStoppedError when the source has not been assembled or was withdrawn, GateClosedError when a gate behind it is
    closed.
    """
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        sources.require_not_withdrawn(source)
        caused_by(source.traceparent)
        behind = require_assembled(connection, runtime, source)
        input_digest = digest_with_identity(source, behind[Stage.ASSEMBLE].output_digest)
        code = code_version(CONFLICT_MATRIX, runtime.contracts)
        version, known = stage_records.standing(connection, tenant, source_id, CONFLICT_MATRIX, input_digest, code)
        if known is not None:
            return known
        started = time.perf_counter()
        _take_turns(connection, tenant)  # before a source's row, as all do that compare
        tier = sources.renew_authority(connection, runtime, source)
        compared = compare_source(connection, tenant, source_id, runtime.contracts)
        record = StageRecord(
            stage=CONFLICT_MATRIX,
            input_digest=input_digest,
            code_version=version,
            output_digest=compared.digest,
            counts=(
                StageCount(
                    "candidate statement",
                    compared.candidates,
                    compared.candidates,
                    0,
                    0,
                    compared.items,
                    "compared item",
                ),
            ),
            reject_codes={},
            seconds=time.perf_counter() - started,
            run_id=run_id,
        )
        stage_records.insert(connection, tenant, source_id, record)
        details = {
            "candidates": compared.candidates,
            "items": compared.items,
            "stale": compared.kept.stale,
            "voided_signatures": compared.kept.voided,
            "output_digest": record.output_digest,
            **({"authority_before": source.authority_rank, "authority": tier} if tier != source.authority_rank else {}),
        }
        entry = AuditEntry(actor=PIPELINE, action="conflicts.compared", subject=source_id, details=details)
        runtime.audit.append(connection, tenant, [entry])
    return record


def compare_source(connection: Connection, tenant: TenantId, source: SourceId, contracts: Contracts) -> ComparedSource:
    """Compare again what is said of the entities that a source speaks of, or spoke of, in the caller's transaction.

    Sources of a tenant take turns, so that none puts back what it read before another's statements came.
    """
    _take_turns(connection, tenant)
    candidates, digests = 0, list[str]()
    vocabulary = contracts.vocabulary
    standings = standings_of(connection, tenant, vocabulary)
    found = FoundItems(connection, tenant, source, vocabulary)
    for frame in candidates_for_source(connection, tenant, source):
        candidates += len(frame)
        items = find_conflicts(frame, vocabulary, standings)
        digests += [item.candidates_digest for item in items]
        found.add(items)
    return ComparedSource(
        candidates, len(digests), sha256_of_json(sorted(digests)), found.keep(contracts.coverage_dimensions)
    )


def _take_turns(connection: Connection, tenant: TenantId) -> None:
    connection.execute("SELECT app.lock('conflicts', %s)", (tenant,))
