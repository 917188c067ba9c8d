"""Records of processing (PDPA section 39): for what, on which ground, how long, and where to. Declared by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.compliance.basis import LawfulBasis, Safeguard, SpecialBasis
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import Connection
from tenant_pipeline.storage.audit_log import AuditEntry

DECLARING_ROLES = ("tenant-admin", *OVERRIDE_ROLES)


def declare_processing(
    runtime: Runtime,
    tenant: TenantId,
    *,
    purpose: str,
    basis: LawfulBasis,
    origins: Sequence[Origin],
    data_subjects: str,
    retention_days: int,
    person: str,
    role: str,
    special_basis: SpecialBasis | None = None,
    destinations: Mapping[str, Safeguard] | None = None,
) -> dict[str, Any]:
    """Declare, or declare anew, the processing for one purpose. The last declaration of a purpose holds. Audited.

    `origins` says which sources it is about; none means all. `destinations` are the countries (ISO 3166-1 alpha-2)
    that data go to, each with what they go on. Raises InputError, NotFoundError, and NotAllowedError without the role.
    """
    if not purpose.strip() or not data_subjects.strip():
        raise InputError("A record of processing names a purpose and whose data they are", where="--purpose")
    if retention_days < 1:
        raise InputError("Data are kept for at least a day", where="--retention-days")
    wrong = [country for country in destinations or {} if len(country) != 2 or not country.isupper()]
    if wrong:
        raise InputError("A destination is a country's two letters", where="--to", remedy="Such as SG=consent.")
    show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, DECLARING_ROLES)
        connection.execute(
            """
            INSERT INTO runtime.processing_records
                   (tenant_id, purpose, basis, special_basis, origins, data_subjects, retention_days, destinations,
                    person, role)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                tenant, purpose, str(basis), str(special_basis) if special_basis else None, list(map(str, origins)),
                data_subjects, retention_days,
                Jsonb({country: str(safeguard) for country, safeguard in (destinations or {}).items()}), person, role,
            ),
        )  # fmt: skip
        details = {"basis": str(basis), "retention_days": retention_days, "role": role}
        entry = AuditEntry(actor=person, action="processing.declare", subject=purpose, details=details)
        runtime.audit.append(connection, tenant, [entry])
        return next(each for each in _in_force(connection, tenant) if each["purpose"] == purpose)


def processing_records(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """The record in force of each purpose."""
    with runtime.database.tenant(tenant) as connection:
        return _in_force(connection, tenant)


def covers(record: Mapping[str, Any], origin: str) -> bool:
    """Whether a record is about sources of that origin."""
    return not record["origins"] or origin in record["origins"]


def _in_force(connection: Connection, tenant: TenantId) -> list[dict[str, Any]]:
    return connection.execute(
        """
        SELECT DISTINCT ON (purpose) purpose, basis, special_basis, origins, data_subjects, retention_days,
               destinations, person, role, at
          FROM runtime.processing_records WHERE tenant_id = %s ORDER BY purpose, number DESC
        """,
        (tenant,),
    ).fetchall()
