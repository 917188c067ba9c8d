-- What a table of a tenant's history takes: rows of one's own, written by the platform, read by governance, changed by nobody.
CREATE FUNCTION app.keep_as_history(history text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
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
END
$$;
REVOKE ALL ON FUNCTION app.keep_as_history(text) FROM PUBLIC;

-- Budgets of tenants: the last that was set holds, and none is ever changed.

CREATE TABLE runtime.cost_budgets (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    amount                numeric NOT NULL CHECK (amount > 0),
    currency              text NOT NULL CHECK (currency <> ''),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);
SELECT app.keep_as_history('cost_budgets');
