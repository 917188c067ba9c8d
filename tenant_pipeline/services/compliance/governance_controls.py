"""Whether what was decided can be shown: the approvals of each publication, and the audit log."""

from __future__ import annotations

from tenant_pipeline.core.compliance.control import Control, Outcome
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.releases.reading import publishing_history
from tenant_pipeline.storage.audit_log import AuditReport
from tenant_pipeline.storage.database import Connection


def approvals(connection: Connection, tenant: TenantId) -> Control:
    """Whether each publication rests on approvals that are there, approve, and come from somebody who did not ask."""
    published = [each for each in publishing_history(connection, tenant) if each["stage"] == "published"]
    good = {
        str(row["id"])
        for row in connection.execute(
            """
            SELECT id FROM runtime.approvals
             WHERE tenant_id = %s AND decision = 'approve' AND lower(btrim(approver)) <> lower(btrim(requested_by))
            """,
            (tenant,),
        ).fetchall()
    }
    lacking = [each["id"] for each in published if not each["approvals"] or not good.issuperset(each["approvals"])]
    return Control(
        "approvals",
        "s.37(1)",
        "Nothing is published without those who answer for it.",
        "Each entry of the publishing history names approvals that are on record, approve, and are not the asker's.",
        Outcome.NOT_MET if lacking else Outcome.MET,
        {"publications": len(published), "approvals_on_record": len(good), "without_approvals": lacking},
        "Find out how these were published: `tenant-pipeline release history`." if lacking else "",
    )


def audit_log(report: AuditReport) -> Control:
    """Whether the audit log is as it was written."""
    return Control(
        "audit-log",
        "s.39",
        "What was done can be shown afterwards.",
        "The hash chain of every entry, and every signed checkpoint.",
        Outcome.MET if report.intact else Outcome.NOT_MET,
        {"entries": report.entries, "checkpoints": report.checkpoints, "problem": report.problem},
        "" if report.intact else "Keep the database as it is, and compare it with its backups and checkpoints.",
    )
