"""The way a source has come: its stage records as a chain of digests, and the gates that stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import DecidedMeanwhileError, SourceStoppedError
from tenant_pipeline.core.gate import Gate
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.services import gates, sources, stage_records
from tenant_pipeline.services.accepted_mappings import chosen_mappings
from tenant_pipeline.services.code_version import code_version, with_parameters
from tenant_pipeline.services.decisions import Decisions, decisions_of
from tenant_pipeline.services.field_meanings import needs_meanings
from tenant_pipeline.services.gates import GateState
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.services.taking_in import STAGES_THAT_TAKE_IN, taking_of
from tenant_pipeline.storage.database import Connection

GATE_AFTER: Mapping[Stage, Gate] = {Stage.SCREEN: Gate.PII, Stage.VALIDATE: Gate.QUALITY}
"""Which gate is judged at the end of which stage."""

RAW_STAGES = frozenset({Stage.RECEIVE, Stage.IDENTIFY, Stage.EXTRACT})
"""Stages whose outputs hold raw values and are therefore encrypted."""


def lineage(
    connection: Connection,
    runtime: Runtime,
    source: Source,
    *,
    before: Stage | None = None,
    decisions: Decisions | None = None,
) -> dict[Stage, StageRecord]:
    """The records that lead from the source's unit to `before` (or as far as it has come), by stage.

    `decisions` are what has been decided of the source, where the caller has read them already.
    """
    found: dict[Stage, StageRecord] = {}
    stages = STAGES if before is None else STAGES[: STAGES.index(before)]
    if not stages:
        return found
    decisions = decisions or decisions_of(connection, runtime, source)
    steps = stage_records.every_step(connection, source.tenant, source.id, source.unit_digest, stages)
    digest = source.unit_digest
    for stage in stages:
        taking = taking_of(runtime.contracts, source, found)
        record = steps.get((stage, digest, stage_code_version(runtime, source, stage, digest, decisions, taking)))
        if record is None:
            break
        found[stage] = record
        digest = record.output_digest
    return found


def stage_code_version(
    runtime: Runtime, source: Source, stage: Stage, input_digest: Sha256, decisions: Decisions, taking: int = 1
) -> str:
    """The code version of a stage over one input: its code, and the parameters that can change its output.

    An accepted mapping is a parameter of `map` only where one of the source's tables chooses it. For `link` and
    `assemble` the first `taking` is none; for other stages no taking is.
    """
    parameters: dict[str, Any] = {}
    if stage is Stage.SCREEN:
        parameters = {
            "key": runtime.keys.digest_key(source.tenant).key_id,
            "agreement": decisions.agreement_in_place,
        }
        if runtime.settings.pii_configuration is not None:
            parameters["recognition"] = sha256(runtime.settings.pii_configuration.read_bytes()).hexdigest()
        if decisions.declarations:
            parameters["declarations"] = [dict(each.as_parameter()) for each in decisions.declarations]
        if needs_meanings(runtime.contracts, decisions.declarations) and decisions.rules.accepted:
            extracted = runtime.stage_store(source.tenant).read(input_digest)
            parameters |= chosen_mappings(extracted, decisions.rules, str(source.origin))
    if taking > 1 and stage in STAGES_THAT_TAKE_IN:
        parameters["taking"] = taking
    released = decisions.released_from(stage)
    if released:
        parameters["released"] = sorted(released)
    if stage is Stage.RECEIVE and runtime.settings.clamav:
        parameters["malware"] = "clamav"
    if stage is Stage.MAP and decisions.rules.accepted:
        screened = runtime.stage_store(source.tenant).read(input_digest)
        parameters |= chosen_mappings(screened, decisions.rules, str(source.origin))
    return with_parameters(code_version(stage, runtime.contracts), parameters)


def not_run(connection: Connection, source: Source, stage: Stage) -> SourceStoppedError:
    """The error that a stage has not run for a source as it is now: it may have, as the source was before."""
    where = partition_key(source.tenant, source.id)
    steps = stage_records.every_step(
        connection, source.tenant, source.id, source.unit_digest, STAGES[: STAGES.index(stage) + 1]
    )
    if any(ran == stage for ran, _, _ in steps):
        return DecidedMeanwhileError(
            f"What holds for the source has changed since {stage} ran: what is decided of it, a setting or the code",
            where=where,
            remedy="It is in line, to begin anew.",
        )
    return SourceStoppedError(
        f"The stage {stage} has not run for this source as it is now",
        where=where,
        remedy=f"Materialise {stage} first, or the whole partition.",
    )


def require_gates_open(
    connection: Connection,
    runtime: Runtime,
    source: Source,
    behind: Mapping[Stage, StageRecord],
    *,
    before: Stage | None,
) -> None:
    """Return when every gate behind the source is open. Raises GateClosedError for the first that is not."""
    for stage, gate in GATE_AFTER.items():
        if stage in behind and (before is None or STAGES.index(stage) < STAGES.index(before)):
            gates.require_open(connection, source.tenant, source.id, gate, behind[stage].output_digest, runtime.now())


def every_record(runtime: Runtime, source: Source) -> list[StageRecord]:
    """The records of a source as it is now, stage after stage, as far as it has come."""
    with runtime.database.tenant(source.tenant) as connection:
        return list(lineage(connection, runtime, source).values())


def current_gate_states(runtime: Runtime, tenant: TenantId, source_id: SourceId) -> dict[Gate, GateState]:
    """The gates of a source as it is now: those that were judged, by gate."""
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        behind = lineage(connection, runtime, source)
        found = (
            gates.state(connection, tenant, source_id, gate, behind[stage].output_digest, runtime.now())
            for stage, gate in GATE_AFTER.items()
            if stage in behind
        )
        return {state.gate: state for state in found if state is not None}


def require_assembled(connection: Connection, runtime: Runtime, source: Source) -> dict[Stage, StageRecord]:
    """The source's whole lineage, its gates open. Raises SourceStoppedError or GateClosedError when it is not so."""
    behind = lineage(connection, runtime, source)
    require_gates_open(connection, runtime, source, behind, before=None)
    if Stage.ASSEMBLE not in behind:
        raise not_run(connection, source, Stage.ASSEMBLE)
    return behind
