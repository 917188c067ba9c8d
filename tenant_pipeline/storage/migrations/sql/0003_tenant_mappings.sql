-- Mappings that a tenant has accepted for its own tables. A version is never changed: a newer one supersedes it, and a
-- row that says `retired` ends it. They name fields and properties, never what a source says.

CREATE TABLE runtime.tenant_mappings (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    mapping_id            text NOT NULL,
    version               text NOT NULL CHECK (version ~ '^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$'),
    retired               boolean NOT NULL,
    definition            jsonb NOT NULL,
    fields_digest         text NOT NULL CHECK (fields_digest ~ '^[0-9a-f]{64}$'),
    accepted_by           text NOT NULL CHECK (btrim(accepted_by) <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    accepted_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, mapping_id, version, retired)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.tenant_mappings
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.tenant_mappings
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.tenant_mappings ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.tenant_mappings ENABLE ALWAYS TRIGGER never_emptied;

ALTER TABLE runtime.tenant_mappings OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.tenant_mappings ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.tenant_mappings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.tenant_mappings TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
GRANT SELECT, INSERT ON runtime.tenant_mappings TO tenant_runtime_tenants;
