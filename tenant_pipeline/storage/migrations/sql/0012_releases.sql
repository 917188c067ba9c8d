-- Releases of a tenant's knowledge base: built, checked, published, gone back to. What is live is the last entry of the
-- publishing history; no row is ever changed.

CREATE TABLE runtime.releases (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    release_digest        text NOT NULL CHECK (release_digest ~ '^[0-9a-f]{64}$'),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    version               text NOT NULL CHECK (version ~ '^\d+\.\d+\.\d+$'),
    base_digest           text CHECK (base_digest ~ '^[0-9a-f]{64}$'),
    content_digest        text NOT NULL CHECK (content_digest ~ '^[0-9a-f]{64}$'),
    stored_digest         text NOT NULL CHECK (stored_digest ~ '^[0-9a-f]{64}$'),
    conflicts_digest      text NOT NULL CHECK (conflicts_digest ~ '^[0-9a-f]{64}$'),
    template_version      text NOT NULL,
    entities              bigint NOT NULL CHECK (entities >= 0),
    value_count           bigint NOT NULL CHECK (value_count >= 0),
    sources               jsonb NOT NULL,
    changes               jsonb NOT NULL,
    built_by              text NOT NULL CHECK (btrim(built_by) <> ''),
    built_at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, release_digest),
    FOREIGN KEY (tenant_id, base_digest) REFERENCES runtime.releases (tenant_id, release_digest)
);
CREATE INDEX releases_in_order ON runtime.releases (tenant_id, number);

ALTER TABLE runtime.publish_pipeline
    ADD COLUMN release_digest text,
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD FOREIGN KEY (tenant_id, release_digest) REFERENCES runtime.releases (tenant_id, release_digest),
    ADD CHECK (stage IN ('draft', 'review', 'approved', 'published')),
    ADD CHECK (stage <> 'published' OR release_digest IS NOT NULL);
CREATE INDEX publish_pipeline_live ON runtime.publish_pipeline (tenant_id, id DESC) WHERE stage = 'published';

ALTER TABLE runtime.releases OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.releases ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.releases FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.releases TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
CREATE POLICY platform ON runtime.releases TO tenant_runtime_platform USING (true) WITH CHECK (true);
CREATE POLICY governance ON runtime.releases FOR SELECT TO tenant_runtime_governance USING (true);
GRANT SELECT ON runtime.releases TO tenant_runtime_tenants, tenant_runtime_governance;
GRANT SELECT, INSERT ON runtime.releases TO tenant_runtime_platform;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.releases
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.releases
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.releases ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.releases ENABLE ALWAYS TRIGGER never_emptied;
