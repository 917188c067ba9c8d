-- Templates belong to the platform; every tenant may read them, and nobody changes what is published.

CREATE TABLE runtime.templates (
    version               text PRIMARY KEY CHECK (version ~ '^[0-9]+\.[0-9]+\.[0-9]+$'),
    content               jsonb NOT NULL,
    digest                text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    published_by          text NOT NULL CHECK (btrim(published_by) <> ''),
    published_at          timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE runtime.templates OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.templates FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON runtime.templates FOR SELECT
    TO tenant_runtime_tenants, tenant_runtime_platform, tenant_runtime_governance USING (true);
CREATE POLICY platform ON runtime.templates FOR INSERT TO tenant_runtime_platform WITH CHECK (true);
GRANT SELECT ON runtime.templates TO tenant_runtime_tenants, tenant_runtime_governance;
GRANT SELECT, INSERT ON runtime.templates TO tenant_runtime_platform;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.templates
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.templates
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.templates ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.templates ENABLE ALWAYS TRIGGER never_emptied;
