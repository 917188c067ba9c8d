"""A tenant's records of processing activities: declared and ended by named people, and every version is kept."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.compliance.lawful_basis import LawfulBasis, SpecialCategoryBasis, TransferSafeguard
from tenant_pipeline.core.compliance.processing_record import Destination, ProcessingRecord
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection

DECLARING_ROLES = ("tenant-admin", "platform-governance")
LONGEST_RETENTION_DAYS = 36_500


def declare(
    runtime: Runtime, tenant: TenantId, declared: ProcessingRecord, *, person: str, role: str, reason: str
) -> int:
    """Declare an activity, or what is different about it from now on; return its version. Audited.

    Declared again in the same words, the version that is there stands. Raises NotAllowedError without the role,
    InputError without a reason or for a period that nobody means, NotFoundError for no such tenant or source.
    """
    if declared.retention_days > LONGEST_RETENTION_DAYS:
        raise InputError(
            "Nobody keeps data for so long",
            where="--retention-days",
            remedy=f"At most {LONGEST_RETENTION_DAYS}: a hundred years.",
        )
    return _append(runtime, tenant, declared, "declare", person, role, reason)


def end(runtime: Runtime, tenant: TenantId, activity: str, *, person: str, role: str, reason: str) -> int:
    """End an activity: its sources need another from now on. Returns the version that says so. Audited.

    Raises NotFoundError for an activity that is not in force, and as `declare` otherwise.
    """
    with runtime.database.platform() as connection:
        found = [each for each in in_force(connection, tenant) if each.activity == activity]
    if not found:
        raise NotFoundError(
            "The tenant has no such activity", where=tenant, remedy="`tenant-pipeline compliance show` lists them."
        )
    return _append(runtime, tenant, found[0], "end", person, role, reason)


def in_force(connection: Connection, tenant: TenantId) -> list[ProcessingRecord]:
    """The activities as they are declared now, by name."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (activity) * FROM runtime.processing_records
         WHERE tenant_id = %s ORDER BY activity, version DESC
        """,
        (tenant,),
    ).fetchall()
    return [_record(row) for row in rows if row["act"] == "declare"]


def history(runtime: Runtime, tenant: TenantId) -> list[dict[str, Any]]:
    """Every version of every activity, in order. Raises NotFoundError for no such tenant."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            "SELECT * FROM runtime.processing_records WHERE tenant_id = %s ORDER BY activity, version", (tenant,)
        ).fetchall()


def _append(
    runtime: Runtime, tenant: TenantId, record: ProcessingRecord, act: str, person: str, role: str, reason: str
) -> int:
    if not reason.strip():
        raise InputError("A declaration needs a reason", where="--reason")
    registry.show_tenant(runtime, tenant)
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, DECLARING_ROLES)
        for source in record.sources:
            sources.get_source(connection, tenant, source)
        connection.execute("SELECT app.lock('processing records of', %s)", (tenant,))
        last = connection.execute(
            """
            SELECT * FROM runtime.processing_records
             WHERE tenant_id = %s AND activity = %s ORDER BY version DESC LIMIT 1
            """,
            (tenant, record.activity),
        ).fetchone()
        if last is not None and last["act"] == act and _record(last) == record:
            return int(last["version"])
        version = int(last["version"]) + 1 if last else 1
        said = record.as_json()
        connection.execute(
            """
            INSERT INTO runtime.processing_records
                   (tenant_id, activity, version, act, purpose, basis, special_basis, subjects, retention_days,
                    destinations, sources, person, role, reason)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                tenant, record.activity, version, act, record.purpose, said["basis"], said["special_basis"],
                said["subjects"], record.retention_days, Jsonb(said["destinations"]), said["sources"], person, role,
                reason,
            ),
        )  # fmt: skip
        details = {**said, "version": version, "role": role, "reason": reason}
        entry = AuditEntry(actor=person, action=f"compliance.{act}", subject=record.activity, details=details)
        runtime.audit.append(connection, tenant, [entry])
    return version


def _record(row: dict[str, Any]) -> ProcessingRecord:
    return ProcessingRecord(
        activity=row["activity"],
        purpose=row["purpose"],
        basis=LawfulBasis(row["basis"]),
        special_basis=SpecialCategoryBasis(row["special_basis"]) if row["special_basis"] else None,
        subjects=tuple(row["subjects"]),
        retention_days=row["retention_days"],
        destinations=tuple(
            Destination(each["country"], TransferSafeguard(each["safeguard"])) for each in row["destinations"]
        ),
        sources=tuple(row["sources"]),
    )
