-- A dimension that counts as better than it is, on somebody's word. Given and ended by the platform, read by the tenant;
-- the last row of a dimension is the one that holds.

CREATE TABLE runtime.coverage_overrides (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    uuid NOT NULL,
    number                bigint GENERATED ALWAYS AS IDENTITY,
    dimension             text NOT NULL CHECK (dimension <> ''),
    act                   text NOT NULL CHECK (act IN ('give', 'withdraw')),
    floor                 text NOT NULL CHECK (floor IN ('warn', 'pass')),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    approver              text NOT NULL CHECK (btrim(approver) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    requested_by          text NOT NULL CHECK (btrim(requested_by) <> ''),
    expires_at            timestamptz NOT NULL,
    given_at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CHECK (act = 'withdraw' OR approver <> requested_by)
);
CREATE INDEX coverage_overrides_in_order ON runtime.coverage_overrides (tenant_id, dimension, number);
ALTER TABLE runtime.coverage_overrides OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.coverage_overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.coverage_overrides FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.coverage_overrides TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
CREATE POLICY platform ON runtime.coverage_overrides TO tenant_runtime_platform USING (true) WITH CHECK (true);
CREATE POLICY governance ON runtime.coverage_overrides FOR SELECT TO tenant_runtime_governance USING (true);
GRANT SELECT ON runtime.coverage_overrides TO tenant_runtime_tenants, tenant_runtime_governance;
GRANT SELECT, INSERT ON runtime.coverage_overrides TO tenant_runtime_platform;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.coverage_overrides
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.coverage_overrides
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.coverage_overrides ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.coverage_overrides ENABLE ALWAYS TRIGGER never_emptied;
