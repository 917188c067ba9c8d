"""Walk a source through the nine stages, one at a time, each at most once for the same input and code.

A stage's output is content-addressed and immutable; its record is one row that names input, code and output. Before
a stage reads anything it asks the gates upstream. Killed at any point, a stage leaves either nothing or a whole
record: the output is committed to the object store first, the record with everything else in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from tenant_pipeline.core.batch_map import BatchMap
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.garbage import only_new_objects_collected
from tenant_pipeline.core.gate import GateVerdict
from tenant_pipeline.core.mapping.stage import map_records
from tenant_pipeline.core.stage import Disposition, Stage, StageCount, conserve_chain
from tenant_pipeline.core.standardise.stage import standardise
from tenant_pipeline.core.tables import StageReader
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.core.validate.stage import validate
from tenant_pipeline.intake.extract import extract
from tenant_pipeline.intake.identify import identify
from tenant_pipeline.intake.malware import ClamAV
from tenant_pipeline.intake.receive import ReceiveLimits, receive
from tenant_pipeline.linking.link import link
from tenant_pipeline.services import gates, source_queue, sources, stage_records
from tenant_pipeline.services.code_version import code_version
from tenant_pipeline.services.decisions import Decisions, decisions_of
from tenant_pipeline.services.entity_index import PostgresEntityIndex, lock_identity
from tenant_pipeline.services.field_meanings import field_meanings
from tenant_pipeline.services.halts import halting
from tenant_pipeline.services.kept_units import kept_unit
from tenant_pipeline.services.lineage import (
    GATE_AFTER,
    RAW_STAGES,
    lineage,
    not_run,
    require_gates_open,
    stage_code_version,
)
from tenant_pipeline.services.objects import list_objects
from tenant_pipeline.services.parallel_map import parallel_map
from tenant_pipeline.services.pii_analyzer import analyzer_over
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.services.taking_in import note_taking, require_taking, taking_of
from tenant_pipeline.storage.assemble import assemble
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.owned_folder import working_folder
from tenant_pipeline.storage.stage_store import StageOutput, StoredStage
from tenant_pipeline.telemetry.traces import caused_by, traced


@dataclass(frozen=True)
class StageWork:
    """What a stage's function is given: the source, its lineage so far, what people decided, where to write, and the
    number of the taking into the knowledge base."""

    runtime: Runtime
    source: Source
    lineage: Mapping[Stage, StageRecord]
    decisions: Decisions
    out: StageOutput
    taking: int

    def output_of(self, stage: Stage) -> StoredStage:
        """What an earlier stage made of this source."""
        return self.runtime.stage_store(self.source.tenant).read(self.lineage[stage].output_digest)


@dataclass(frozen=True)
class StageResult:
    """What a stage's function gives back."""

    counts: tuple[StageCount, ...]
    verdict: GateVerdict | None = None


@dataclass(frozen=True)
class _Due:
    """What a stage that has yet to run is run on, and what its output will be known by."""

    source: Source
    behind: Mapping[Stage, StageRecord]
    decisions: Decisions
    taking: int
    input_digest: Sha256
    version: str


@traced("stage")
def run_stage(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, stage: Stage, *, run_id: str | None = None
) -> StageRecord:
    """Bring one source through one stage, or find that it has been through already.

    Raises SourceStoppedError when an upstream stage has not run, GateClosedError when a gate upstream is closed,
    the stage's own typed errors, and StageFaultError for whatever else it raised; in each case the source is marked
    `stopped` and nothing else has changed. Raises OutageError when the database or the object store does not answer or
    the disk is full, and DecidedMeanwhileError when what holds for the source has changed since the stage before ran:
    that is no fault of the source, which is put in line again. Raises SourceWithdrawnError for a source that was
    withdrawn, which stays so.
    """
    with halting(runtime, tenant, source_id, str(stage), run_id=run_id or ""):
        due = _known_or_due(runtime, tenant, source_id, stage)
        if isinstance(due, StageRecord):
            return due
        in_transaction = _STAGES_IN_TRANSACTION.get(stage)
        if in_transaction is None:
            record, verdict = _perform(runtime, due, stage, _STAGE_FUNCTIONS[stage], run_id)
            with runtime.database.tenant(tenant) as connection:
                return _keep(connection, runtime, due.source, record, verdict)
        with runtime.database.tenant(tenant) as connection:
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            record, verdict = _perform(runtime, due, stage, lambda work: in_transaction(work, connection), run_id)
            return _keep(connection, runtime, due.source, record, verdict)


def _known_or_due(runtime: Runtime, tenant: TenantId, source_id: SourceId, stage: Stage) -> StageRecord | _Due:
    """The record of a stage that the source has been through, noted as its progress; else what the stage is due on."""
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        sources.require_not_withdrawn(source)
        caused_by(source.traceparent)
        decisions = decisions_of(connection, runtime, source)
        behind = lineage(connection, runtime, source, before=stage, decisions=decisions)
        if stage.before is not None and stage.before not in behind:
            raise not_run(connection, source, stage.before)
        input_digest = behind[stage.before].output_digest if stage.before else source.unit_digest
        require_gates_open(connection, runtime, source, behind, before=stage)
        taking = taking_of(runtime.contracts, source, behind)
        version = stage_code_version(runtime, source, stage, input_digest, decisions, taking)
        known = stage_records.find(connection, tenant, source_id, stage, input_digest, version)
        if known is not None and _still_stands(connection, runtime, source, stage, known):
            _note_progress(connection, source, stage, known)
            return known
        # What was pruned is made again: the record stands, and the same code makes the same of the same. Not so links,
        # which may be others among the entities of now.
        if known is not None and stage is Stage.LINK:
            taking += 1
            version = stage_code_version(runtime, source, stage, input_digest, decisions, taking)
        return _Due(source, behind, decisions, taking, input_digest, version)


def _still_stands(connection: Connection, runtime: Runtime, source: Source, stage: Stage, known: StageRecord) -> bool:
    """Whether the output is kept, and the verdict on it, if it takes one, which is its gate's newest from now on."""
    if known.output_digest not in runtime.stage_store(source.tenant):
        return False
    gate = GATE_AFTER.get(stage)
    return gate is None or gates.renew_verdict(connection, source.tenant, source.id, gate, known.output_digest)


def _perform(
    runtime: Runtime, due: _Due, stage: Stage, function: Callable[[StageWork], StageResult], run_id: str | None
) -> tuple[StageRecord, GateVerdict | None]:
    """Run the stage's function and commit its output; the record is for the caller to keep."""
    started = time.perf_counter()
    source, behind = due.source, due.behind
    store = runtime.stage_store(source.tenant)
    with (
        only_new_objects_collected(),
        store.write(stage, due.input_digest, due.version, encrypted=stage in RAW_STAGES) as out,
    ):
        result = function(StageWork(runtime, source, behind, due.decisions, out, due.taking))
        upstream = behind[stage.before].counts[-1] if stage.before else None
        _hold_the_law(result.counts, upstream, out, where=f"{partition_key(source.tenant, source.id)} {stage}")
        output_digest = out.commit(result.counts)
    record = StageRecord(
        stage=stage,
        input_digest=due.input_digest,
        code_version=due.version,
        output_digest=output_digest,
        counts=result.counts,
        reject_codes=out.reject_codes,
        seconds=time.perf_counter() - started,
        gate_verdict=str(result.verdict.band) if result.verdict else None,
        run_id=run_id,
    )
    return record, result.verdict


def _keep(
    connection: Connection, runtime: Runtime, source: Source, record: StageRecord, verdict: GateVerdict | None
) -> StageRecord:
    """Keep a record with all that belongs to it; where another run was faster, its record stands."""
    stage = Stage(record.stage)
    kept = stage_records.insert(connection, source.tenant, source.id, record)
    if verdict is not None:
        gates.record_verdict(connection, source.tenant, source.id, record.output_digest, verdict)
    if not kept:
        repeated = replace(record, repeated=True)
        _note_progress(connection, source, stage, repeated)
        return repeated
    if stage is Stage.RECEIVE:
        list_objects(connection, runtime, source, runtime.stage_store(source.tenant).read(record.output_digest))
    if stage is Stage.SCREEN:  # under the digest key of now, like everything else that it has screened
        received = lineage(connection, runtime, source, before=Stage.IDENTIFY).get(Stage.RECEIVE)
        if received is not None:  # else something was let in meanwhile, and the run that it waits for lists anew
            list_objects(connection, runtime, source, runtime.stage_store(source.tenant).read(received.output_digest))
    _note_progress(connection, source, stage, record)
    runtime.audit.append(connection, source.tenant, [_audit_entry(source.id, record)])
    return record


def _hold_the_law(counts: tuple[StageCount, ...], upstream: StageCount | None, out: StageOutput, where: str) -> None:
    conserve_chain(counts, upstream, where)
    for disposition, counted in (
        (Disposition.REJECTED, sum(count.rejected for count in counts)),
        (Disposition.QUARANTINED, sum(count.quarantined for count in counts)),
    ):
        written = out.rejected(disposition)
        if written != counted:
            raise IntegrityError(
                f"{counted} rows were counted as {disposition} but {written} have a reason and a locator",
                where=where,
                remedy="This is a fault of the stage, not of the source: report it with the stage's record.",
            )


def _note_progress(connection: Connection, source: Source, stage: Stage, record: StageRecord) -> None:
    status = "assembled" if stage is Stage.ASSEMBLE else "running"
    already_past = source.ingest_status == "assembled" and record.repeated
    if not already_past:
        source_queue.set_progress(connection, source.tenant, source.id, str(stage), status, since=source.queued_at)
    if not record.repeated:
        source_queue.forget_hindrance(connection, source.tenant, source.id, through=False)


def _audit_entry(source_id: SourceId, record: StageRecord) -> AuditEntry:
    return AuditEntry(
        actor="pipeline",
        action="stage.complete",
        subject=f"{source_id}:{record.stage}",
        details={
            "input_digest": record.input_digest,
            "output_digest": record.output_digest,
            "code_version": record.code_version,
            "rows_in": record.rows_in,
            "rows_out": record.rows_out,
            "rejected": record.rejected,
            "quarantined": record.quarantined,
            "gate_verdict": record.gate_verdict,
        },
    )


def _receive(work: StageWork) -> StageResult:
    raw = work.runtime.raw_zone(work.source.tenant)
    address = work.runtime.settings.clamav
    return StageResult(
        receive(
            kept_unit(raw, work.source.unit_digest),
            raw,
            work.out,
            ReceiveLimits(),
            released=work.decisions.released_from(Stage.RECEIVE),
            scanner=ClamAV(address) if address else None,
        )
    )


def _identify(work: StageWork) -> StageResult:
    raw = work.runtime.raw_zone(work.source.tenant)
    released = work.decisions.released_from(Stage.IDENTIFY)
    return StageResult(identify(work.output_of(Stage.RECEIVE), raw, work.out, released=released))


def _extract(work: StageWork) -> StageResult:
    raw = work.runtime.raw_zone(work.source.tenant)
    identified, received = work.output_of(Stage.IDENTIFY), work.output_of(Stage.RECEIVE)
    released = work.decisions.released_from(Stage.EXTRACT)
    return StageResult(extract(identified, received, raw, work.out, released=released))


def _screen(work: StageWork) -> StageResult:
    # Loaded where a source is screened: it brings in Presidio and spaCy, which who only reads or asks can do without.
    from tenant_pipeline.pii.screen import screen

    extracted = work.output_of(Stage.EXTRACT)
    with _processes(work, Stage.SCREEN, _most_rows(extracted, "records")) as batch_map:
        counts, verdict = screen(
            extracted,
            work.out,
            policy=work.runtime.contracts.pii_policy,
            key=work.runtime.keys.digest_key(work.source.tenant),
            analyzer=analyzer_over(batch_map),
            agreement_in_place=work.decisions.agreement_in_place,
            declarations=work.decisions.declarations,
            meanings=field_meanings(work.runtime.contracts, work.decisions, work.source.origin),
        )
    return StageResult(counts, verdict)


def _map(work: StageWork) -> StageResult:
    return StageResult(
        map_records(
            work.output_of(Stage.SCREEN),
            work.out,
            mappings=work.decisions.rules,
            vocabulary=work.runtime.contracts.vocabulary,
            tenant=work.source.tenant,
            source=work.source.id,
            origin=work.source.origin,
        )
    )


def _standardise(work: StageWork) -> StageResult:
    vocabulary = work.runtime.contracts.vocabulary
    mapped = work.output_of(Stage.MAP)
    with _processes(work, Stage.STANDARDISE, _most_rows(mapped, "statements")) as batch_map:
        return StageResult(standardise(mapped, work.out, vocabulary=vocabulary, batch_map=batch_map))


def _processes(work: StageWork, stage: Stage, rows: int) -> AbstractContextManager[BatchMap]:
    where = f"{partition_key(work.source.tenant, work.source.id)} {stage}"
    return parallel_map(work.runtime.settings.processes, rows, where=where)


def _most_rows(stage: StageReader, role: str) -> int:
    return max((table.rows for table in stage.tables(role)), default=0)


def _validate(work: StageWork) -> StageResult:
    contracts = work.runtime.contracts
    counts, verdict = validate(
        work.output_of(Stage.STANDARDISE),
        work.out,
        vocabulary=contracts.vocabulary,
        thresholds=contracts.quality_thresholds,
    )
    return StageResult(counts, verdict)


_WORTH_READING_AHEAD = 500_000
"""From so many statements on, processes that read entities ahead of linking save more than their start costs."""


def _link(work: StageWork, connection: Connection) -> StageResult:
    tenant, source = work.source.tenant, work.source.id
    validated = work.output_of(Stage.VALIDATE)
    mapped = work.output_of(Stage.MAP).document("mapping")["tables"]
    rows = sum(table.rows for table in validated.tables("statements"))
    with working_folder("linking") as folder, PostgresEntityIndex(connection, tenant, source, folder) as index:
        sources.require_not_withdrawn(sources.get_source(connection, tenant, source))  # under the lock of linking
        # Of a source that was linked before, little is new as a rule.
        ahead = index.source_is_new and rows >= _WORTH_READING_AHEAD
        counts = link(
            validated,
            work.out,
            vocabulary=work.runtime.contracts.vocabulary,
            index=index,
            tenant=tenant,
            code=code_version(Stage.LINK, work.runtime.contracts),
            keyless=frozenset(table["table"] for table in mapped if not table.get("keyed", True)),
            by_content=frozenset(table["table"] for table in mapped if table.get("records_without_key")),
            processes=partial(_processes, work, Stage.LINK, rows) if ahead else None,
            folder=folder,
        )
    validated_digest = work.lineage[Stage.VALIDATE].output_digest
    note_taking(connection, work.runtime.contracts, work.source, validated_digest, work.taking)
    return StageResult(counts)


def _assemble(work: StageWork, connection: Connection) -> StageResult:
    statements, links = work.output_of(Stage.VALIDATE), work.output_of(Stage.LINK)
    seen_at = _after_the_last_time(work, connection)
    lock_identity(connection, work.source.tenant)
    sources.require_not_withdrawn(sources.get_source(connection, work.source.tenant, work.source.id))
    validated_digest = work.lineage[Stage.VALIDATE].output_digest
    require_taking(connection, work.runtime.contracts, work.source, validated_digest, work.taking)
    with working_folder("assembling") as folder:
        count = assemble(
            connection,
            work.source.tenant,
            work.source.id,
            links=links,
            statements=statements,
            seen_at=seen_at,
            folder=folder,
        )
    connection.execute(
        "UPDATE runtime.tenant_sources SET assembled_at = %s WHERE tenant_id = %s AND id = %s",
        (seen_at, work.source.tenant, work.source.id),
    )
    work.out.document(
        "assembled",
        {
            "statements": work.lineage[Stage.VALIDATE].output_digest,
            "links": work.lineage[Stage.LINK].output_digest,
            "duplicates": count.duplicates,
        },
    )
    handed_on = work.lineage[Stage.LINK].counts[-1].emitted
    kept = count.inserted + count.already_present
    if kept + count.duplicates != handed_on:
        raise IntegrityError(
            f"{handed_on} statements were handed on but {kept} are kept and {count.duplicates} say the same again",
            where=partition_key(work.source.tenant, work.source.id),
        )
    return StageResult((StageCount("statement", handed_on, handed_on, 0, 0, kept, "kept statement"),))


def _after_the_last_time(work: StageWork, connection: Connection) -> datetime:
    """The present; just after the source was last assembled where the clock was set back, so that nothing is retired
    before it was last seen."""
    now = work.runtime.now()
    row = connection.execute(
        """
        SELECT greatest(%s, assembled_at + interval '1 microsecond') AS at FROM runtime.tenant_sources
         WHERE tenant_id = %s AND id = %s
        """,
        (now, work.source.tenant, work.source.id),
    ).fetchone()
    return row["at"] if row else now


_STAGE_FUNCTIONS: Mapping[Stage, Callable[[StageWork], StageResult]] = {
    Stage.RECEIVE: _receive,
    Stage.IDENTIFY: _identify,
    Stage.EXTRACT: _extract,
    Stage.SCREEN: _screen,
    Stage.MAP: _map,
    Stage.STANDARDISE: _standardise,
    Stage.VALIDATE: _validate,
}

_STAGES_IN_TRANSACTION: Mapping[Stage, Callable[[StageWork, Connection], StageResult]] = {
    Stage.LINK: _link,
    Stage.ASSEMBLE: _assemble,
}
"""Stages that write to the knowledge base: their writes and their record are one transaction."""
