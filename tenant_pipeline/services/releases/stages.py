"""The stages that a release goes through before it is published, each noted in the publishing history."""

from __future__ import annotations

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


def note_stage(
    runtime: Runtime, connection: Connection, tenant: TenantId, digest: str, stage: str, *, person: str
) -> None:
    """Note that a release has come to a stage: once, until it is published. Audited.

    A digest that is no release's is not noted.
    """
    noted = connection.execute(
        """
        INSERT INTO runtime.publish_pipeline (tenant_id, stage, release_digest, created_by)
        SELECT tenant_id, %(stage)s, release_digest, %(person)s FROM runtime.releases AS release
         WHERE tenant_id = %(tenant)s AND release_digest = %(digest)s
           AND NOT EXISTS (SELECT FROM runtime.publish_pipeline AS entry
                            WHERE entry.tenant_id = release.tenant_id AND entry.release_digest = release.release_digest
                              AND entry.stage = %(stage)s
                              AND entry.id > coalesce((SELECT max(published.id)
                                                         FROM runtime.publish_pipeline AS published
                                                        WHERE published.tenant_id = release.tenant_id
                                                          AND published.release_digest = release.release_digest
                                                          AND published.stage = 'published'), 0))
        """,
        {"tenant": tenant, "digest": digest, "stage": stage, "person": person},
    ).rowcount
    if noted:
        entry = AuditEntry(actor=person, action=f"release.{stage}", subject=digest, details={})
        runtime.audit.append(connection, tenant, [entry])
