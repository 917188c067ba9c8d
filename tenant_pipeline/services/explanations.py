"""The explanation of each check that governance sees: of the two gates, the coverage of a source, and its conflicts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.explanation import Explanation, ExplanationTable
from tenant_pipeline.core.gate import Band, Gate
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.services.conflicts.reading import Filter, page_of_matrix
from tenant_pipeline.services.coverage.reading import ReadDimension, explain_coverage
from tenant_pipeline.services.coverage.shortfalls import Shortfall
from tenant_pipeline.services.gates import GateState
from tenant_pipeline.services.lineage import current_gate_states
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.private_folder import make_private_folder

SHOWN_CONFLICTS = 20
FOLDER = "explanations"


class Check(StrEnum):
    """The checks, by the names under which Dagster shows them."""

    PII_GATE = "pii_gate"
    QUALITY_GATE = "quality_gate"
    COVERAGE_GREEN = "coverage_green"
    COVERAGE_ADVICE = "coverage_advice"
    CONFLICTS_DECIDED = "conflicts_decided"


def explain(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check, tell: Tell = in_english) -> Explanation:
    """Why a check of a source says what it says now, as `tell` says it. Raises NotFoundError where it has not been
    judged."""
    return _EXPLAINED[check](runtime, tenant, source, check, tell)


def page_of(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check) -> Path:
    """Where the page with a check's explanation lies: a file of the installation, readable by its owner."""
    return runtime.settings.home / FOLDER / tenant / source / f"{check}.html"


def write_page(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check, explanation: Explanation) -> Path:
    """Write the page of a check's explanation in the place of the last one, whole or not at all."""
    path = page_of(runtime, tenant, source, check)
    make_private_folder(path.parent, runtime.settings.home / FOLDER)
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


def _gate(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check, tell: Tell) -> Explanation:
    gate = Gate(str(check).removesuffix("_gate"))
    state = current_gate_states(runtime, tenant, source).get(gate)
    if state is None:
        raise _not_judged(tenant, source, check)
    return explanation_of_gate(tenant, state, tell)


def explanation_of_gate(tenant: TenantId, state: GateState, tell: Tell = in_english) -> Explanation:
    """The explanation of a gate as it stands for a source."""
    gate, source = state.gate, state.source
    sentences = [*state.reasons, say("The gate is open.") if state.open else say("The gate is closed.")]
    if state.overridden_by and state.overridden_until:
        until = f"{state.overridden_until:%Y-%m-%d %H:%M} UTC"
        sentences.append(say("{person} answers for it until {until}.", person=state.overridden_by, until=until))
    columns = tuple(dict.fromkeys(name for finding in state.findings for name in finding))
    rows = tuple(tuple(str(finding.get(name, "")) for name in columns) for finding in state.findings)
    of_source = f"--tenant {tenant} --source {source}"
    remedies = (
        (
            say("Look at what was held back: `{command}`.", command=f"tenant-pipeline quarantine list {of_source}"),
            say("Mend the source and hand it in again, or change what policy does with a field."),
            say(
                "Or have governance answer for it: `{command}`.",
                command=f"tenant-pipeline gate override {of_source} --gate {gate}",
            ),
        )
        if not state.open
        else ()
    )
    return Explanation(
        tell(say("{gate:word} gate of {source}", gate=gate, source=source)),
        str(state.band),
        _told(tell, sentences),
        (ExplanationTable(tell(say("Found")), columns, rows),),
        _told(tell, remedies),
    )


def _told(tell: Tell, sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(tell, sentences))


def _coverage(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check, tell: Tell) -> Explanation:
    blocking = check is Check.COVERAGE_GREEN
    read = explain_coverage(runtime, tenant, source, blocking=blocking)
    if not read:
        raise _not_judged(tenant, source, check)
    if blocking:
        title = say("Coverage that going live asks for, of {source}", source=source)
    else:
        title = say("Coverage beside it, of {source}", source=source)
    return explanation_of_coverage(title, tenant, read, tell)


_SCORED = (say("dimension"), say("score"), say("band"), say("counts as"), say("warn / pass at"), say("counted"))
_LIFTED = (say("what"), say("id"), say("lacks"), say("gain"), say("where"))


def explanation_of_coverage(
    title: str, tenant: TenantId, read: list[tuple[ReadDimension, Shortfall]], tell: Tell = in_english
) -> Explanation:
    """The explanation of these dimensions together; its verdict is the worst band that one counts as."""
    order = (Band.FAIL, Band.WARN, Band.NOT_ASSESSED, Band.PASS)
    verdict = next(band for band in order if any(each.counts_as is band for each, _ in read))
    scores = tuple(_scored(each, tell) for each, _ in read)
    sentences = []
    tables = [ExplanationTable(tell(say("Scores")), _told(tell, _SCORED), scores)]
    for each, lacks in read:
        sentences += _sentences(each, lacks)
        rows = tuple(
            (
                lift.label or lift.subject,
                lift.subject,
                tell(lift.lacks),
                str(lift.gain),
                f"{lift.source} {lift.locator}".strip(),
            )
            for lift in lacks.lifts
        )
        heading = say(
            "{dimension:coverage_dimensions}: these {count:figure} would lift it most",
            dimension=each.dimension.id,
            count=len(rows),
        )
        tables.append(ExplanationTable(tell(heading), _told(tell, _LIFTED), rows))
    remedies = (
        say("See it in full: `{command}`.", command=f"tenant-pipeline coverage explain --tenant {tenant}"),
        say(
            "Or have governance answer for a dimension: `{command}`.",
            command=f"tenant-pipeline coverage override --tenant {tenant}",
        ),
    )
    return Explanation(
        tell(title),
        str(verdict),
        _told(tell, sentences),
        tuple(tables),
        _told(tell, remedies) if verdict is not Band.PASS else (),
    )


def _scored(each: ReadDimension, tell: Tell) -> tuple[str, ...]:
    counted = say(
        "{part:figure} of {whole:figure}", part=f"{each.found.numerator:,}", whole=f"{each.found.denominator:,}"
    )
    return (
        tell(say("{dimension:coverage_dimensions}", dimension=each.dimension.id)),
        "" if each.found.score is None else f"{each.found.score:.1%}",
        tell(str(each.found.band)),
        tell(str(each.counts_as)),
        f"{each.dimension.warn_at:g} / {each.dimension.pass_at:g}",
        tell(counted),
    )


def _sentences(each: ReadDimension, lacks: Shortfall) -> list[str]:
    """Why a dimension has its band, what it lacks, how far it is from the next band, and who answers for it."""
    name = each.dimension.id
    sentences = [
        say(
            "{dimension:coverage_dimensions}: {explanation:sentence}.",
            dimension=name,
            explanation=each.found.explanation,
        )
    ]
    sentences += [
        say("{dimension:coverage_dimensions}: {explanation:sentence}", dimension=name, explanation=group)
        for group in lacks.groups
    ]
    if each.to_next is not None:
        sentences.append(
            say(
                "{dimension:coverage_dimensions}: {needed:figure} more lift it to {band:word}.",
                dimension=name,
                needed=f"{each.to_next.needed:,}",
                band=each.to_next.band,
            )
        )
    if each.override is not None:
        sentences.append(
            say(
                "{dimension:coverage_dimensions}: {person} answers for {floor:word} until {until}: {reason}",
                dimension=name,
                person=each.override.approver,
                floor=each.override.floor,
                until=f"{each.override.expires_at:%Y-%m-%d %H:%M} UTC",
                reason=each.override.reason,
            )
        )
    return sentences


_DISPUTED = (
    say("what"), say("property"), say("compared by"), say("proposed by"), say("needs a person"), say("item"),
)  # fmt: skip


def _conflicts(runtime: Runtime, tenant: TenantId, source: SourceId, check: Check, tell: Tell) -> Explanation:
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
            tell(say("yes") if item["needs_person"] else say("no")),
            item["conflict_id"],
        )
        for item in found
    )
    sentence = say(
        "{count:figure} items in which this source and others contradict each other are not decided.",
        count=f"{open_:,}",
    )
    remedies = (
        say("Look at one and sign it: `{command}`.", command=f"tenant-pipeline conflict show ITEM --tenant {tenant}"),
        say(
            "Draw them: `{command}`.",
            command=f"tenant-pipeline conflict draw --tenant {tenant} --source {source} --output conflicts.html",
        ),
    )
    return Explanation(
        tell(say("Conflicts of {source}", source=source)),
        str(Band.WARN if open_ else Band.PASS),
        (tell(sentence),),
        (ExplanationTable(tell(say("The first {count:figure}", count=len(rows))), _told(tell, _DISPUTED), rows),),
        _told(tell, remedies) if open_ else (),
    )


def _not_judged(tenant: TenantId, source: SourceId, check: Check) -> NotFoundError:
    return NotFoundError(
        f"{check} has not been judged for this source",
        where=partition_key(tenant, source),
        remedy="Run the source: `tenant-pipeline run`.",
    )


_EXPLAINED: Mapping[Check, Callable[[Runtime, TenantId, SourceId, Check, Tell], Explanation]] = {
    Check.PII_GATE: _gate,
    Check.QUALITY_GATE: _gate,
    Check.COVERAGE_GREEN: _coverage,
    Check.COVERAGE_ADVICE: _coverage,
    Check.CONFLICTS_DECIDED: _conflicts,
}
