-- What a tenant declares of the personal data in its fields, who signed or revoked it, and the changes of its digest
-- key. Nothing here is ever changed: a declaration ends by a row that says so. A tenant reads its own; the platform
-- writes, so that nobody can sign for governance with a tenant's login.

CREATE TABLE runtime.privacy_declarations (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    text NOT NULL CHECK (id ~ '^dcl-[0-9a-f]{16}$'),
    declared_class        text NOT NULL CHECK (declared_class IN (
                              'business-contact', 'action', 'special-category', 'no-special-category')),
    source_id             text,
    origin                text,
    table_name            text NOT NULL,
    field                 text NOT NULL,
    property              text NOT NULL,
    entity_types          text[] NOT NULL,
    action                text NOT NULL CHECK (action IN ('', 'allow', 'hash', 'mask', 'drop', 'quarantine')),
    category              text NOT NULL,
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    requested_by          text NOT NULL CHECK (btrim(requested_by) <> ''),
    expires_at            timestamptz,
    requested_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, id, requested_by),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id),
    CHECK (source_id IS NULL OR origin IS NULL),
    CHECK (field = '' OR property = ''),
    CHECK (declared_class <> 'business-contact' OR (
        entity_types <@ ARRAY['PHONE_NUMBER', 'EMAIL_ADDRESS'] AND entity_types <> '{}'
        AND field || property <> '' AND num_nonnulls(source_id, origin) = 1))
);

CREATE TABLE runtime.privacy_declaration_steps (
    tenant_id             text NOT NULL,
    declaration_id        text NOT NULL,
    step                  text NOT NULL CHECK (step IN ('signed', 'revoked')),
    requested_by          text NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (btrim(role) <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    taken_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, declaration_id, step),
    FOREIGN KEY (tenant_id, declaration_id, requested_by)
        REFERENCES runtime.privacy_declarations (tenant_id, id, requested_by),
    CHECK (step <> 'signed' OR role IN ('platform-governance', 'founder')),
    CHECK (step <> 'signed' OR lower(btrim(person)) <> lower(btrim(requested_by)))
);

CREATE TABLE runtime.digest_key_steps (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    version               integer NOT NULL CHECK (version > 0),
    step                  text NOT NULL CHECK (step IN ('asked', 'made', 'destroyed')),
    key_id                text NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role IN ('platform-governance', 'founder')),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    taken_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, version, step)
);

DO $$
DECLARE
    bound text;
BEGIN
    FOREACH bound IN ARRAY ARRAY['privacy_declarations', 'privacy_declaration_steps', 'digest_key_steps']
    LOOP
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', bound);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', bound);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', bound);
        EXECUTE format(
            'CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                 USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()))', bound);
        EXECUTE format(
            'CREATE POLICY platform ON runtime.%I TO tenant_runtime_platform USING (true) WITH CHECK (true)', bound);
        EXECUTE format('CREATE POLICY governance ON runtime.%I FOR SELECT TO tenant_runtime_governance USING (true)',
            bound);
        EXECUTE format('GRANT SELECT ON runtime.%I TO tenant_runtime_tenants, tenant_runtime_governance', bound);
        EXECUTE format('GRANT SELECT, INSERT ON runtime.%I TO tenant_runtime_platform', bound);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
            FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', bound);
        EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
            FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', bound);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', bound);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', bound);
    END LOOP;
END
$$;
