"""The nine stages. Read from top to bottom: this is the way of a source into the draft knowledge base."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from tenant_pipeline.assets.materialise import materialise
from tenant_pipeline.assets.partitions import many_sources_a_run, no_value, tenant_source_partitions
from tenant_pipeline.assets.stage_metadata import stage_metadata
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.resources.runtime import RuntimeResource, contracts_in_force
from tenant_pipeline.services.code_version import code_version
from tenant_pipeline.services.normalisation import run_stage

StageBody = Callable[[dg.AssetExecutionContext, RuntimeResource], Iterator[dg.Output[None]]]


def stage_asset(stage: Stage, *, kinds: set[str]) -> Callable[[StageBody], dg.AssetsDefinition]:
    """The asset of one stage: partitioned by source, downstream of the stage before it, versioned by its code."""
    return dg.asset(
        name=str(stage),
        deps=[dg.AssetKey(str(stage.before))] if stage.before else [],
        partitions_def=tenant_source_partitions,
        backfill_policy=many_sources_a_run,
        code_version=code_version(stage, contracts_in_force()),
        group_name="normalisation",
        owners=["team:data-engineering"],
        kinds=kinds,
        dagster_type=no_value,
        output_required=False,
    )


def _walk(context: dg.AssetExecutionContext, runtime: RuntimeResource, stage: Stage) -> Iterator[dg.Output[None]]:
    opened = runtime.open()

    def work(tenant: TenantId, source: SourceId) -> dict[str, Any]:
        record = run_stage(opened, tenant, source, stage, run_id=context.run_id)
        runtime.tell(tenant, source, record)
        return stage_metadata(opened, runtime.source_of_run(context.run_id, tenant, source), record)

    yield from materialise(context, opened, work)


@stage_asset(Stage.RECEIVE, kinds={"python", "file"})
def receive(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**1 of 9.** What was handed in becomes content-addressed objects and a manifest: archives are opened, unsafe
    members refused. Encrypted at rest."""
    yield from _walk(context, runtime, Stage.RECEIVE)


@stage_asset(Stage.IDENTIFY, kinds={"python"})
def identify(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**2 of 9.** Format, encoding, language and structure of each object, found by content and not by name."""
    yield from _walk(context, runtime, Stage.IDENTIFY)


@stage_asset(Stage.EXTRACT, kinds={"python", "parquet"})
def extract(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**3 of 9.** Objects become records and text segments, each with a locator that leads back to its place.
    Encrypted at rest: the last stage that holds raw personal data."""
    yield from _walk(context, runtime, Stage.EXTRACT)


@stage_asset(Stage.SCREEN, kinds={"python", "parquet"})
def screen(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**4 of 9 · PII gate.** Personal data is found in three languages and replaced by keyed digests; records that
    policy withholds are quarantined. A closed gate stops the source in every run."""
    yield from _walk(context, runtime, Stage.SCREEN)


@stage_asset(Stage.MAP, kinds={"python", "parquet"})
def map_(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**5 of 9.** Records become statements by a versioned, declarative mapping; fields without a mapping are
    reported, never dropped in silence."""
    yield from _walk(context, runtime, Stage.MAP)


@stage_asset(Stage.STANDARDISE, kinds={"python", "parquet"})
def standardise(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**6 of 9.** Names, addresses, codes, dates, units and coordinates in canonical form, the raw value beside it;
    what cannot be read is rejected with a reason."""
    yield from _walk(context, runtime, Stage.STANDARDISE)


@stage_asset(Stage.VALIDATE, kinds={"pandera", "parquet"})
def validate(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**7 of 9 · quality gate.** Statements are checked against the contract's types, properties and ranges; failure
    cases are rejects with the name of the check."""
    yield from _walk(context, runtime, Stage.VALIDATE)


@stage_asset(Stage.LINK, kinds={"python", "postgres"})
def link(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**8 of 9.** Entities get the tenant's canonical ids, by identifiers first and then by an explained score; pairs
    in the grey zone go to people."""
    yield from _walk(context, runtime, Stage.LINK)


@stage_asset(Stage.ASSEMBLE, kinds={"postgres"})
def assemble(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[dg.Output[None]]:
    """**9 of 9.** Statements and links enter the tenant's draft knowledge base in one transaction; a second time
    writes nothing."""
    yield from _walk(context, runtime, Stage.ASSEMBLE)


normalisation_assets = [receive, identify, extract, screen, map_, standardise, validate, link, assemble]
