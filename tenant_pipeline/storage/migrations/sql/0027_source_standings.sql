-- What a tenant's sources were last found to be worth beside one another, and of how many sources that was found:
-- ids and numbers, no word of a source. One row a tenant, the tenant's own.

CREATE TABLE runtime.source_standings (
    tenant_id             text PRIMARY KEY REFERENCES runtime.tenants (id),
    standings             jsonb NOT NULL, -- source_id, trust, copies_of
    sources               bigint NOT NULL CHECK (sources >= 0), -- that were assembled when it was found
    up_to                 timestamptz NOT NULL -- when the last of them was
);
ALTER TABLE runtime.source_standings OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.source_standings ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.source_standings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.source_standings TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
-- By column: whoever may update the table as a whole may lock it.
GRANT SELECT, INSERT, UPDATE (standings, sources, up_to) ON runtime.source_standings TO tenant_runtime_tenants;
