-- Records of processing and breaches: written by the platform on a person's word, only ever added to.

CREATE TABLE runtime.processing_records (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    purpose               text NOT NULL CHECK (btrim(purpose) <> ''),
    basis                 text NOT NULL CHECK (basis <> ''),
    special_basis         text,
    origins               text[] NOT NULL,
    data_subjects         text NOT NULL CHECK (btrim(data_subjects) <> ''),
    retention_days        integer NOT NULL CHECK (retention_days > 0),
    destinations          jsonb NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);

CREATE TABLE runtime.breach_steps (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    breach_id             text NOT NULL,
    step                  text NOT NULL CHECK (step IN ('opened', 'notified')),
    happened_at           timestamptz NOT NULL,
    summary               text NOT NULL CHECK (btrim(summary) <> ''),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, breach_id, step)
);

DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['processing_records', 'breach_steps'] LOOP
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', history);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', history);
        EXECUTE format('CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                            USING (tenant_id = (SELECT app.my_tenant()))
                            WITH CHECK (tenant_id = (SELECT app.my_tenant()))', history);
        EXECUTE format('CREATE POLICY platform ON runtime.%I TO tenant_runtime_platform
                            USING (true) WITH CHECK (true)', history);
        EXECUTE format('CREATE POLICY governance ON runtime.%I FOR SELECT TO tenant_runtime_governance
                            USING (true)', history);
        EXECUTE format('GRANT SELECT ON runtime.%I TO tenant_runtime_tenants, tenant_runtime_governance', history);
        EXECUTE format('GRANT SELECT, INSERT ON runtime.%I TO tenant_runtime_platform', history);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
                            FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
                            FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', history);
    END LOOP;
END
$$;
