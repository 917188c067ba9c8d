-- Links that were fetched, and what tells their servers which version we have. A tenant's own: not the platform's.

CREATE TABLE runtime.fetched_links (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    url                   text NOT NULL CHECK (length(url) <= 2000),
    etag                  text NOT NULL,
    last_modified         text NOT NULL,
    answered_by           text NOT NULL,  -- the address where the redirects ended: validators mean something only there
    unit_digest           text NOT NULL CHECK (unit_digest ~ '^[0-9a-f]{64}$'),
    fetched_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, url)
);
ALTER TABLE runtime.fetched_links OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.fetched_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.fetched_links FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.fetched_links TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
GRANT SELECT, INSERT, UPDATE ON runtime.fetched_links TO tenant_runtime_tenants;
