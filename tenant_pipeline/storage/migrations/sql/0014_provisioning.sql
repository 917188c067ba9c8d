-- Instances: how often each login's password was changed, and every step of bringing an instance up or taking it down.

-- The password is derived from the installation's secret, the role's name and this figure, and is nowhere stored. The row
-- outlives the role, so that no password ever comes back.
CREATE TABLE runtime.instance_logins (
    tenant_id             text PRIMARY KEY,
    rotation              integer NOT NULL CHECK (rotation >= 0)
);

CREATE TABLE runtime.provisioning_operations (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    uuid NOT NULL,
    number                bigint GENERATED ALWAYS AS IDENTITY,
    act                   text NOT NULL CHECK (act IN ('provision', 'deprovision')),
    backend               text NOT NULL CHECK (backend <> ''),
    namespace             text NOT NULL,
    plan_digest           text NOT NULL,
    approvals             jsonb NOT NULL,
    requested_by          text NOT NULL CHECK (btrim(requested_by) <> ''),
    begun_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX provisioning_operations_in_order ON runtime.provisioning_operations (tenant_id, number);

CREATE TABLE runtime.provisioning_steps (
    tenant_id             text NOT NULL,
    operation_id          uuid NOT NULL,
    number                bigint GENERATED ALWAYS AS IDENTITY,
    step                  text NOT NULL CHECK (step <> ''),
    state                 text NOT NULL CHECK (state IN ('begun', 'done', 'failed', 'undone')),
    detail                jsonb NOT NULL,
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, operation_id, number),
    FOREIGN KEY (tenant_id, operation_id) REFERENCES runtime.provisioning_operations (tenant_id, id)
);

DO $$
DECLARE
    bound text;
BEGIN
    FOREACH bound IN ARRAY ARRAY['instance_logins', 'provisioning_operations', 'provisioning_steps'] LOOP
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
        EXECUTE format('GRANT SELECT ON runtime.%I TO tenant_runtime_tenants, tenant_runtime_platform,
                            tenant_runtime_governance', bound);
    END LOOP;
    FOREACH bound IN ARRAY ARRAY['provisioning_operations', 'provisioning_steps'] LOOP
        EXECUTE format('GRANT INSERT ON runtime.%I TO tenant_runtime_platform', bound);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
                            FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', bound);
        EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
                            FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', bound);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', bound);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', bound);
    END LOOP;
END
$$;

-- Written together with the role itself, by whoever administers.
CREATE POLICY administration ON runtime.instance_logins TO tenant_runtime_owner USING (true) WITH CHECK (true);
