-- Who is where in a tenant's shared document, told from one server process to the others. It is of the moment only, and
-- may be lost with the database's memory: unlogged. Who has left is kept for a moment without a state, so that all hear.

CREATE UNLOGGED TABLE runtime.workspace_presence (
    tenant_id             text NOT NULL,
    browser_window        bigint NOT NULL,
    clock                 bigint NOT NULL,
    state                 text CHECK (length(state) <= 8000), -- JSON
    server                text NOT NULL,
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, browser_window)
);
ALTER TABLE runtime.workspace_presence OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.workspace_presence ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.workspace_presence FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.workspace_presence TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
GRANT SELECT, INSERT ON runtime.workspace_presence TO tenant_runtime_tenants;
GRANT UPDATE (clock, state, server, at) ON runtime.workspace_presence TO tenant_runtime_tenants;

-- The platform throws away what is of no moment any more, and reads nothing of it.
CREATE POLICY past ON runtime.workspace_presence TO tenant_runtime_platform USING (at < now() - interval '1 minute');
GRANT SELECT (tenant_id, at), DELETE ON runtime.workspace_presence TO tenant_runtime_platform;
