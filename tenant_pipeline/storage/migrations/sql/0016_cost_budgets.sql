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
ALTER TABLE runtime.cost_budgets OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.cost_budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.cost_budgets FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.cost_budgets TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
CREATE POLICY platform ON runtime.cost_budgets TO tenant_runtime_platform USING (true) WITH CHECK (true);
CREATE POLICY governance ON runtime.cost_budgets FOR SELECT TO tenant_runtime_governance USING (true);
GRANT SELECT ON runtime.cost_budgets TO tenant_runtime_tenants, tenant_runtime_governance;
GRANT SELECT, INSERT ON runtime.cost_budgets TO tenant_runtime_platform;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.cost_budgets
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.cost_budgets
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.cost_budgets ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.cost_budgets ENABLE ALWAYS TRIGGER never_emptied;
