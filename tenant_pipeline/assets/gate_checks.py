"""The gates' verdicts as asset checks, a check evaluation per partition, for governance to see.

The checks report and do not lock: a failed check holds up its own run at most, and in a run over a range it would
hold up the good sources too. The lock is the durable verdict that every downstream asset asks for itself.
"""

import warnings
from collections.abc import Iterator

import dagster as dg

from tenant_pipeline.assets.check_reports import explanation_metadata
from tenant_pipeline.assets.partitions import tenant_source_partitions
from tenant_pipeline.core.gate import Band, Gate
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import from_partition_key
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.explanations import Check, explanation_of_gate
from tenant_pipeline.services.lineage import GATE_AFTER, current_gate_states

# Checks per partition are in preview in Dagster; this file is the only place that would have to follow a change.
warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*AssetCheckSpec.*")

_DESCRIPTIONS = {
    Gate.PII: "Personal data found, by entity type and field, and what policy made of it. Digests only.",
    Gate.QUALITY: "Share of statements that failed the contract's checks, by check, with locators.",
}


def _gate_check(stage: Stage, gate: Gate) -> dg.AssetChecksDefinition:
    name = f"{gate}_gate"
    shown = Check(name)

    @dg.multi_asset_check(
        name=f"{stage}_{name}",
        specs=[
            dg.AssetCheckSpec(
                name, asset=str(stage), description=_DESCRIPTIONS[gate], partitions_def=tenant_source_partitions
            )
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext, runtime: RuntimeResource) -> Iterator[dg.AssetCheckResult]:
        opened = runtime.open()
        for key in context.op_execution_context.partition_keys:
            tenant, source = from_partition_key(key)
            state = current_gate_states(opened, tenant, source).get(gate)
            if state is None:
                continue
            context.op_execution_context.log_event(
                dg.AssetCheckEvaluation(  # type: ignore[arg-type]  # the annotation lags behind the body
                    asset_key=dg.AssetKey(str(stage)),
                    check_name=name,
                    passed=state.band is not Band.FAIL,
                    severity=dg.AssetCheckSeverity.ERROR if state.band is Band.FAIL else dg.AssetCheckSeverity.WARN,
                    partition=key,
                    description="; ".join(state.reasons),
                    metadata={
                        "band": str(state.band),
                        "gate": "open" if state.open else "closed",
                        "overridden_by": state.overridden_by or "",
                        "findings": dg.MetadataValue.json([dict(finding) for finding in state.findings]),
                        "output_digest": state.output_digest,
                        **explanation_metadata(opened, tenant, source, shown, explanation_of_gate(tenant, state)),
                    },
                )
            )
        yield from ()

    return check


gate_checks = [_gate_check(stage, gate) for stage, gate in GATE_AFTER.items()]
