"""The explanation of each check that governance sees: of the two gates, the coverage of a source, and its conflicts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.explanation import Explanation, ExplanationTable
from tenant_pipeline.core.gate import Band, Gate
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.conflicts.reading import Filter, page_of_matrix
from tenant_pipeline.services.coverage.reading import ReadDimension, explain_coverage
from tenant_pipeline.services.coverage.shortfalls import Shortfall
from tenant_pipeline.services.gates import GateState
from tenant_pipeline.services.lineage import current_gate_states
from tenant_pipeline.services.runtime import Runtime

SHOWN_CONFLICTS = 20


class Check(StrEnum):
    """The checks, by the names under which Dagster shows them."""

    PII_GATE = "pii_gate"
    QUALITY_GATE = "quality_gate"
    COVERAGE_GREEN = "coverage_green"
    COVERAGE_ADVICE = "coverage_advice"
    CONFLICTS_DECIDED = "conflicts_decided"


def explain(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check) -> Explanation:
    """Why a check of a source says what it says now. Raises NotFoundError where it has not been judged."""
    return _EXPLAINED[check](runtime, tenant, source, check)


def page_of(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check) -> Path:
    """Where the page with a check's explanation lies: a file of the installation, readable by its owner."""
    return runtime.settings.home / "explanations" / tenant / source / f"{check}.html"


def write_page(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check, explanation: Explanation) -> Path:
    """Write the page of a check's explanation in the place of the last one, whole or not at all."""
    path = page_of(runtime, tenant, source, check)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp makes the file with mode 0600, and the rename keeps it.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{check}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(explanation.as_html())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _gate(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check) -> Explanation:
    gate = Gate(str(check).removesuffix("_gate"))
    state = current_gate_states(runtime, tenant, source).get(gate)
    if state is None:
        raise _not_judged(tenant, source, check)
    return explanation_of_gate(tenant, state)


def explanation_of_gate(tenant: TenantId, state: GateState) -> Explanation:
    """The explanation of a gate as it stands for a source."""
    gate, source = state.gate, state.source
    sentences = [*state.reasons, f"The gate is {'open' if state.open else 'closed'}."]
    if state.overridden_by and state.overridden_until:
        sentences.append(f"{state.overridden_by} answers for it until {state.overridden_until:%Y-%m-%d %H:%M} UTC.")
    columns = tuple(dict.fromkeys(name for finding in state.findings for name in finding))
    rows = tuple(tuple(str(finding.get(name, "")) for name in columns) for finding in state.findings)
    remedies = (
        (
            f"Look at what was held back: `tenant-pipeline quarantine list --tenant {tenant} --source {source}`.",
            "Mend the source and hand it in again, or change what policy does with a field.",
            f"Or have governance answer for it: `tenant-pipeline gate override --tenant {tenant} --source {source}"
            f" --gate {gate}`.",
        )
        if not state.open
        else ()
    )
    return Explanation(
        f"{gate} gate of {source}",
        str(state.band),
        tuple(sentences),
        (ExplanationTable("Found", columns, rows),),
        remedies,
    )


def _coverage(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check) -> Explanation:
    blocking = check is Check.COVERAGE_GREEN
    read = explain_coverage(runtime, tenant, source, blocking=blocking)
    if not read:
        raise _not_judged(tenant, source, check)
    return explanation_of_coverage(
        f"{'Coverage that going live asks for' if blocking else 'Coverage beside it'}, of {source}", tenant, read
    )


def explanation_of_coverage(title: str, tenant: TenantId, read: list[tuple[ReadDimension, Shortfall]]) -> Explanation:
    """The explanation of these dimensions together; its verdict is the worst band that one counts as."""
    order = (Band.FAIL, Band.WARN, Band.NOT_ASSESSED, Band.PASS)
    verdict = next(band for band in order if any(each.counts_as is band for each, _ in read))
    scores = tuple(
        (
            each.dimension.id,
            "" if each.found.score is None else f"{each.found.score:.1%}",
            str(each.found.band),
            str(each.counts_as),
            f"{each.dimension.warn_at:g} / {each.dimension.pass_at:g}",
            f"{each.found.numerator:,} of {each.found.denominator:,}",
        )
        for each, _ in read
    )
    sentences = []
    tables = [
        ExplanationTable("Scores", ("dimension", "score", "band", "counts as", "warn / pass at", "counted"), scores)
    ]
    for each, lacks in read:
        sentences.append(f"{each.dimension.id}: {each.found.explanation}.")
        sentences += [f"{each.dimension.id}: {group}" for group in lacks.groups]
        if each.to_next is not None:
            sentences.append(f"{each.dimension.id}: {each.to_next.needed:,} more lift it to {each.to_next.band}.")
        if each.override is not None:
            until = f"{each.override.expires_at:%Y-%m-%d %H:%M} UTC"
            sentences.append(
                f"{each.dimension.id}: {each.override.approver} answers for {each.override.floor} until {until}:"
                f" {each.override.reason}"
            )
        rows = tuple(
            (
                lift.label or lift.subject,
                lift.subject,
                lift.lacks,
                str(lift.gain),
                f"{lift.source} {lift.locator}".strip(),
            )
            for lift in lacks.lifts
        )
        heading = f"{each.dimension.id}: these {len(rows)} would lift it most"
        tables.append(ExplanationTable(heading, ("what", "id", "lacks", "gain", "where"), rows))
    remedies = (
        f"See it in full: `tenant-pipeline coverage explain --tenant {tenant}`.",
        f"Or have governance answer for a dimension: `tenant-pipeline coverage override --tenant {tenant}`.",
    )
    return Explanation(
        title, str(verdict), tuple(sentences), tuple(tables), remedies if verdict is not Band.PASS else ()
    )


def _conflicts(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check) -> Explanation:
    wanted = Filter(source=source, verdict="differs", status="open")
    found = page_of_matrix(runtime, tenant, wanted, limit=SHOWN_CONFLICTS).items
    with runtime.database.tenant(tenant) as connection:
        counted = connection.execute(
            "SELECT conflicts_count FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s", (tenant, source)
        ).fetchone()
    if counted is None:
        raise _not_judged(tenant, source, check)
    open_ = counted["conflicts_count"]
    rows = tuple(
        (
            item["label"],
            f"{item['property']}@{item['lang']}" if item["lang"] else item["property"],
            item["rule"],
            item["proposed_rule"],
            "yes" if item["needs_person"] else "no",
            item["conflict_id"],
        )
        for item in found
    )
    columns = ("what", "property", "compared by", "proposed by", "needs a person", "item")
    return Explanation(
        f"Conflicts of {source}",
        str(Band.WARN if open_ else Band.PASS),
        (f"{open_:,} items in which this source and others contradict each other are not decided.",),
        (ExplanationTable(f"The first {len(rows)}", columns, rows),),
        (
            f"Look at one and sign it: `tenant-pipeline conflict show ITEM --tenant {tenant}`.",
            f"Draw them: `tenant-pipeline conflict draw --tenant {tenant} --source {source} --output conflicts.html`.",
        )
        if open_
        else (),
    )


def _not_judged(tenant: TenantId, source: SourceId, check: Check) -> NotFoundError:
    return NotFoundError(
        f"{check} has not been judged for this source",
        where=f"{tenant}|{source}",
        remedy="Run the source: `tenant-pipeline run`.",
    )


_EXPLAINED: Mapping[Check, Callable[[Runtime, TenantId, SourceId, Check], Explanation]] = {
    Check.PII_GATE: _gate,
    Check.QUALITY_GATE: _gate,
    Check.COVERAGE_GREEN: _coverage,
    Check.COVERAGE_ADVICE: _coverage,
    Check.CONFLICTS_DECIDED: _conflicts,
}
