"""The evidence pack of a tenant: every control, taken now, with an entry in the audit log that it was."""

from __future__ import annotations

from tenant_pipeline.core.compliance.control import EvidencePack
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.compliance import (
    declared_controls,
    governance_controls,
    isolation_controls,
    processing_records,
)
from tenant_pipeline.services.compliance.breaches import breaches_of
from tenant_pipeline.services.compliance.personal_data_scan import raw_personal_data
from tenant_pipeline.services.erasure.requests import requests_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry


def evidence_pack(runtime: Runtime, tenant: TenantId, *, asked_by: str) -> EvidencePack:
    """Check every control of a tenant and return what was found; nothing of it is a verdict on the law. Audited.

    It reads as the tenant's own login, so that it can show no other's; the penetration test alone is the platform's.
    Raises NotFoundError for no such tenant.
    """
    row = registry.show_tenant(runtime, tenant)
    now = runtime.now()
    with runtime.database.tenant(tenant) as connection:
        sources = declared_controls.screened_sources(connection, runtime, tenant)
        records = processing_records.in_force(connection, tenant)
        controls = [
            *declared_controls.agreement(row["pdpa_agreement_ref"]),
            declared_controls.lawful_basis(sources, records),
            declared_controls.special_categories(sources, records),
            declared_controls.retention(sources, records, now),
            *declared_controls.transfers(records),
            declared_controls.breach_clock(breaches_of(connection, tenant), now),
            declared_controls.erasure(requests_of(connection, tenant), now),
            isolation_controls.row_level_security(connection),
            isolation_controls.isolation_probe(connection, tenant),
            governance_controls.approvals(connection, tenant),
            governance_controls.audit_log(runtime.audit.verify(connection, tenant)),
        ]
    with runtime.database.platform() as connection:
        controls.append(isolation_controls.penetration_test(connection, runtime.settings.pentest_valid_days))
    controls.append(raw_personal_data(runtime, tenant))
    pack = EvidencePack(tenant, now, tuple(controls))
    with runtime.database.platform() as connection:
        details = {"digest": pack.as_json()["digest"], "outcomes": pack.counts()}
        entry = AuditEntry(actor=asked_by, action="compliance.audit", subject=tenant, details=details)
        runtime.audit.append(connection, tenant, [entry])
    return pack
