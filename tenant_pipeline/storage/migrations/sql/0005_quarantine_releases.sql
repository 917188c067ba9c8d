-- What was refused and taken in after all, on a person's word. Given by the platform, read by the tenant.

CREATE TABLE runtime.quarantine_releases (
    tenant_id             text NOT NULL,
    source_id             text NOT NULL,
    stage                 text NOT NULL CHECK (stage IN ('receive', 'identify')),
    locator               text NOT NULL,
    code                  text NOT NULL,
    person                text NOT NULL CHECK (person <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    released_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, source_id, stage, locator, code),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id)
);
ALTER TABLE runtime.quarantine_releases OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.quarantine_releases ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.quarantine_releases FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.quarantine_releases TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
CREATE POLICY platform ON runtime.quarantine_releases TO tenant_runtime_platform USING (true) WITH CHECK (true);
CREATE POLICY governance ON runtime.quarantine_releases FOR SELECT TO tenant_runtime_governance USING (true);
GRANT SELECT ON runtime.quarantine_releases TO tenant_runtime_tenants, tenant_runtime_governance;
GRANT SELECT, INSERT ON runtime.quarantine_releases TO tenant_runtime_platform;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.quarantine_releases
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.quarantine_releases
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.quarantine_releases ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.quarantine_releases ENABLE ALWAYS TRIGGER never_emptied;
