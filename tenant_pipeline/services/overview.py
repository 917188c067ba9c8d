"""How a tenant stands, at a glance: what people see first."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenant_pipeline.core.approval.standing import RequestState
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.conflicts.reading import totals_of_matrix
from tenant_pipeline.services.coverage.reading import verdict_of_tenant
from tenant_pipeline.services.judgements import count_proposed_pairs
from tenant_pipeline.services.releases.reading import live_release
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import list_sources


def overview_of(runtime: Runtime, tenant: TenantId, person: str, tell: Tell = in_english) -> dict[str, Any]:
    """The tenant's state, its sources by how far they are, open conflicts and pairs, coverage, and what waits for whom.

    `waits_for_you` counts the requests that the person may decide, and those that were taken to them at a breach. A
    large tenant's coverage may be that of a little while ago.
    """
    row = row_as_json(registry.show_tenant(runtime, tenant))
    by_status = Counter(source.ingest_status for source in list_sources(runtime, tenant))
    requests = list_requests(runtime, tenant, waiting_only=True)
    mine = list_requests(runtime, tenant, person=person, with_escalated=True, waiting_only=True)
    verdict = verdict_of_tenant(runtime, tenant, exact=False)
    with runtime.database.platform() as connection:
        live = live_release(connection, tenant)
    return {
        "tenant": {name: row[name] for name in ("id", "name", "domain", "tier", "status", "template_version")},
        "go_live_at": row["go_live_at"],
        "sources": dict(sorted(by_status.items())),
        "conflicts": totals_of_matrix(runtime, tenant),
        "pairs_in_doubt": count_proposed_pairs(runtime, tenant),
        "green": verdict.green,
        "why_not_green": [tell(reason) for reason in verdict.reasons],
        "live_release": None if live is None else {"version": live.version, "entities": live.entities},
        "waiting": [
            {
                "id": each.request.id,
                "gate": str(each.request.gate),
                "operation": str(each.operation),
                "waits_for": [sorted(need) for need in each.standing.missing],
                "due_at": each.request.due_at.isoformat(),
                "breached": each.standing.breached,
                "escalated_to": list(each.escalated_to),
            }
            for each in requests
            if each.standing.state is RequestState.WAITING
        ],
        "waits_for_you": len(mine),
    }
