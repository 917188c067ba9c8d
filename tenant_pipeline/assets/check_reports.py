"""What every check reports of a source: its verdict, and the way to the explanation of it.

The explanation stands in the metadata as Markdown, and as a page among the installation's files, which the link names.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from tenant_pipeline.core.explanation import Explanation
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.explanations import Check, write_page
from tenant_pipeline.services.runtime import Runtime


def explanation_metadata(
    runtime: Runtime, tenant: TenantId, source: SourceId, check: Check, explanation: Explanation
) -> dict[str, Any]:
    """Metadata that leads a reader from a check to the explanation of its verdict."""
    page = write_page(runtime, tenant, source, check, explanation)
    return {
        "verdict": explanation.verdict,
        "explanation": dg.MetadataValue.md(explanation.as_markdown()),
        "explanation_page": dg.MetadataValue.path(str(page)),
        "explanation_command": f"tenant-pipeline explain {check} --tenant {tenant} --source {source}",
    }
