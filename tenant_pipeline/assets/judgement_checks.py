"""What governance is told of a source's coverage and conflicts: a check evaluation per partition, explained.

They report and do not lock: what going live asks for is asked of the tenant when it goes live.
"""

import warnings
from collections.abc import Iterator, Mapping

import dagster as dg

from tenant_pipeline.assets.check_reports import explanation_metadata
from tenant_pipeline.assets.partitions import tenant_source_partitions
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.tenancy import from_partition_key
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, COVERAGE_SCORE
from tenant_pipeline.services.explanations import Check, explain

warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*AssetCheckSpec.*")

_CHECKS: Mapping[str, Mapping[Check, str]] = {
    CONFLICT_MATRIX: {
        Check.CONFLICTS_DECIDED: "Whether every contradiction between this source and others has been decided.",
    },
    COVERAGE_SCORE: {
        Check.COVERAGE_GREEN: "The dimensions that going live asks for: their bands, and what would lift them most.",
        Check.COVERAGE_ADVICE: "The other dimensions of the coverage score.",
    },
}


def _judgement_checks(asset: str, descriptions: Mapping[Check, str]) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"{asset}_checks",
        specs=[
            dg.AssetCheckSpec(str(check), asset=asset, description=says, partitions_def=tenant_source_partitions)
            for check, says in descriptions.items()
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext, runtime: RuntimeResource) -> Iterator[dg.AssetCheckResult]:
        opened = runtime.open()
        for key in context.op_execution_context.partition_keys:
            tenant, source = from_partition_key(key)
            for name in descriptions:
                try:
                    explanation = explain(opened, tenant, source, name)
                except NotFoundError:
                    continue
                failed = explanation.verdict == Band.FAIL and name is Check.COVERAGE_GREEN
                context.op_execution_context.log_event(
                    dg.AssetCheckEvaluation(  # type: ignore[arg-type]  # the annotation lags behind the body
                        asset_key=dg.AssetKey(asset),
                        check_name=str(name),
                        passed=explanation.verdict == Band.PASS,
                        severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
                        partition=key,
                        description=explanation.sentences[0],
                        metadata=explanation_metadata(opened, tenant, source, name, explanation),
                    )
                )
        yield from ()

    return check


judgement_checks = [_judgement_checks(asset, descriptions) for asset, descriptions in _CHECKS.items()]
