-- A tenant's login notes in its audit log what it does itself, and nothing else. Grants, approvals, gates that were opened,
-- releases and all else that the platform's login does, only that login notes: no such entry, in whosever name, can come
-- from a tenant's. Whatever more a tenant's login is to do, and has to be audited, is added here.
CREATE POLICY own_acts ON runtime.audit_log AS RESTRICTIVE FOR INSERT TO tenant_runtime_tenants WITH CHECK (
    action LIKE 'feed.%' OR action IN (
        'source.add', 'source.renewed', 'credential.kept',
        'stage.complete', 'stage.stopped', 'stage.interrupted', 'coverage.scored',
        'mapping.accept', 'mapping.retire', 'link.judged', 'link.reversed',
        'conflicts.compared', 'conflicts.decided', 'conflict.decided',
        'statements.export', 'retention.prune', 'retention.pruned'
    )
);
