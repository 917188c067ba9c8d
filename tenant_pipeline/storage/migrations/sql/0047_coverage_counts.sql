-- What was counted over a tenant's knowledge base: by which version of the code, and up to which entry of its audit log it
-- is known to hold. Counting a million rows takes minutes, and people look at it all day. The answers name entities, so
-- that only the tenant reads them.
CREATE TABLE runtime.coverage_counts (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    subject               text NOT NULL CHECK (subject <> ''),
    version               text NOT NULL,
    as_of                 bigint NOT NULL CHECK (as_of >= 0),
    answer                jsonb NOT NULL,
    seconds               double precision NOT NULL CHECK (seconds >= 0), -- that counting it took
    counted_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject)
);
ALTER TABLE runtime.coverage_counts OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.coverage_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.coverage_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.coverage_counts TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
GRANT SELECT, INSERT ON runtime.coverage_counts TO tenant_runtime_tenants;
-- Of columns: who may update a table as a whole may lock it against everybody.
GRANT UPDATE (version, as_of, answer, seconds, counted_at) ON runtime.coverage_counts TO tenant_runtime_tenants;

-- Who counts has the others wait.
CREATE OR REPLACE FUNCTION app.lock(purpose text, tenant text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF session_user <> 'tenant_runtime_platform' AND NOT pg_has_role(session_user, 'tenant_runtime_owner', 'MEMBER')
       AND (tenant IS DISTINCT FROM app.my_tenant()
            OR purpose NOT IN ('audit', 'linking', 'conflicts', 'mappings', 'retention', 'coverage')) THEN
        RAISE EXCEPTION 'only a tenant itself and the platform lock a tenant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(purpose || ' ' || tenant, 0));
END
$$;
