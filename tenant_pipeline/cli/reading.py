"""`stages | statements`: what there is to read of a tenant's knowledge base."""

from __future__ import annotations

from typing import Annotated

import typer

from tenant_pipeline.cli.options import JsonOption, TenantOption
from tenant_pipeline.cli.shell import opened, print_rows
from tenant_pipeline.core.tenancy import source_id, tenant_id
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.knowledge_base import list_statements
from tenant_pipeline.services.lineage import every_record

SourceOption = Annotated[str | None, typer.Option("--source", help="Only this source.")]
LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many rows.")]

STAGE_COLUMNS = (
    "source",
    "stage",
    "rows_in",
    "unit_in",
    "rows_out",
    "unit_out",
    "rows_rejected",
    "rows_quarantined",
    "gate_verdict",
    "seconds",
    "code_version",
    "input_digest",
    "output_digest",
)


def stages(tenant: TenantOption, source: SourceOption = None, as_json: JsonOption = False) -> None:
    """The auditable record: what each stage took, gave, rejected and decided, and which code did it."""
    identifier = tenant_id(tenant)
    rows = []
    with opened() as runtime:
        for each in sources.list_sources(runtime, identifier):
            if source is None or each.id == source_id(source):
                for record in every_record(runtime, each):
                    row = record.as_json()
                    if not as_json:
                        row["input_digest"] = row["input_digest"][:12]
                        row["output_digest"] = row["output_digest"][:12]
                    rows.append({"source": each.id, **row})
    print_rows(f"Stages of {tenant}", rows, STAGE_COLUMNS, as_json=as_json)


def statements(
    tenant: TenantOption,
    source: SourceOption = None,
    entity: Annotated[str | None, typer.Option(help="Only this canonical entity.")] = None,
    property_: Annotated[str | None, typer.Option("--property", help="Only this property.")] = None,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """Statements of the draft knowledge base, each with its source, locator and method."""
    with opened() as runtime:
        registry.show_tenant(runtime, tenant_id(tenant))
        rows = list_statements(
            runtime,
            tenant_id(tenant),
            source=source_id(source) if source else None,
            canonical_id=entity,
            property_=property_,
            limit=limit,
        )
    columns = ("canonical_id", "type", "property", "lang", "value", "source_id", "authority_tier", "locator")
    print_rows(f"Statements of {tenant}", rows, columns, as_json=as_json)
