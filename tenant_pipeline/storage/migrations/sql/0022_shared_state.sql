-- The shared document of a tenant's workspace: every edit that was made since it was last compacted, in order. Who has
-- seen number n has seen all before it, because numbers are given under the lock of the tenant's row.

ALTER TABLE runtime.tenant_workspaces ADD COLUMN compacted_to bigint NOT NULL DEFAULT 0;
ALTER TABLE runtime.tenant_workspaces ADD COLUMN newest bigint NOT NULL DEFAULT 0;
GRANT UPDATE (compacted_to, newest) ON runtime.tenant_workspaces TO tenant_runtime_tenants;
GRANT INSERT ON runtime.tenant_workspaces TO tenant_runtime_tenants;

CREATE TABLE runtime.workspace_updates (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint NOT NULL CHECK (number > 0),
    update                bytea NOT NULL,
    person                text NOT NULL,
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);
ALTER TABLE runtime.workspace_updates OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.workspace_updates ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.workspace_updates FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.workspace_updates TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
GRANT SELECT, INSERT ON runtime.workspace_updates TO tenant_runtime_tenants;
GRANT UPDATE (update) ON runtime.workspace_updates TO tenant_runtime_tenants;

-- The platform throws away what has been compacted, and reads nothing of it.
CREATE POLICY compacted ON runtime.tenant_workspaces FOR SELECT TO tenant_runtime_platform USING (true);
GRANT SELECT (tenant_id, compacted_to) ON runtime.tenant_workspaces TO tenant_runtime_platform;
CREATE POLICY compacted ON runtime.workspace_updates TO tenant_runtime_platform
    USING (number <= (SELECT workspace.compacted_to FROM runtime.tenant_workspaces AS workspace
                       WHERE workspace.tenant_id = workspace_updates.tenant_id));
GRANT SELECT (tenant_id, number), DELETE ON runtime.workspace_updates TO tenant_runtime_platform;
