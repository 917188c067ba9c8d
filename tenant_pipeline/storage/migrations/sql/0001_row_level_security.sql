-- Whose row it is decides who sees it, and who one is is decided by the login: not by a setting, which can be forged.
--
-- session_user is the role that authenticated; SET ROLE does not change it and only a superuser can SET SESSION
-- AUTHORIZATION. The subselect around my_tenant() makes the planner call it once a statement instead of once a row.

CREATE FUNCTION app.my_tenant() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT tenant_id FROM runtime.tenant_logins WHERE role_name = session_user
$$;

-- Lets a login in as its tenant: membership, a schema of its own, and the entry that all policies rest on.
CREATE FUNCTION app.admit_tenant(tenant text, login text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO runtime.tenant_logins (role_name, tenant_id) VALUES (login, tenant) ON CONFLICT (role_name) DO NOTHING;
    IF NOT EXISTS (SELECT FROM runtime.tenant_logins WHERE role_name = login AND tenant_id = tenant) THEN
        RAISE EXCEPTION 'the login belongs to another tenant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('GRANT tenant_runtime_tenants TO %I WITH INHERIT TRUE, SET FALSE', login);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), login);
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', login);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', login, login);
END
$$;

DO $$
DECLARE
    bound record;
BEGIN
    FOR bound IN
        SELECT class.relname, class.relkind
          FROM pg_class AS class
         WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind IN ('r', 'v')
    LOOP
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', bound.relname);
        CONTINUE WHEN bound.relkind = 'v';
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', bound.relname);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', bound.relname);
        CONTINUE WHEN bound.relname = 'tenant_logins';
        EXECUTE format(
            'CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                 USING (%I = (SELECT app.my_tenant())) WITH CHECK (%I = (SELECT app.my_tenant()))',
            bound.relname,
            CASE bound.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END,
            CASE bound.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END);
    END LOOP;
END
$$;

-- The list of logins is nobody's to read; my_tenant() reads it with its owner's rights.
CREATE POLICY lookup ON runtime.tenant_logins TO tenant_runtime_owner USING (true) WITH CHECK (true);
ALTER FUNCTION app.my_tenant() OWNER TO tenant_runtime_owner;
ALTER FUNCTION app.refuse_change() OWNER TO tenant_runtime_owner;
REVOKE ALL ON FUNCTION app.my_tenant(), app.refuse_change(), app.admit_tenant(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.my_tenant()
    TO tenant_runtime_tenants, tenant_runtime_platform, tenant_runtime_governance;

-- A tenant works on its own rows. Its registry row, its people's roles, approvals and overrides are given to it.
GRANT SELECT ON ALL TABLES IN SCHEMA runtime TO tenant_runtime_tenants;
REVOKE ALL ON runtime.tenant_logins FROM tenant_runtime_tenants;
GRANT INSERT ON runtime.audit_log, runtime.stage_runs TO tenant_runtime_tenants;
GRANT INSERT, UPDATE ON runtime.tenant_sources, runtime.gate_verdicts, runtime.statements, runtime.entities,
    runtime.entity_members, runtime.entity_keys, runtime.entity_features, runtime.judgements, runtime.conflicts,
    runtime.conflict_sources, runtime.coverage_scores, runtime.objects, runtime.tenant_workspaces
    TO tenant_runtime_tenants;

-- The platform keeps the registry and sees how the pipeline stands: not what the sources say.
DO $$
DECLARE
    metadata text;
BEGIN
    FOREACH metadata IN ARRAY ARRAY[
        'tenants', 'tenant_user_roles', 'tenant_sources', 'stage_runs', 'gate_verdicts', 'gate_overrides', 'approvals',
        'publish_pipeline', 'marketplace_listings', 'coverage_scores', 'audit_log']
    LOOP
        EXECUTE format(
            'CREATE POLICY platform ON runtime.%I TO tenant_runtime_platform USING (true) WITH CHECK (true)', metadata);
        EXECUTE format('GRANT SELECT ON runtime.%I TO tenant_runtime_platform', metadata);
        EXECUTE format(
            'CREATE POLICY governance ON runtime.%I FOR SELECT TO tenant_runtime_governance USING (true)', metadata);
        EXECUTE format('GRANT SELECT ON runtime.%I TO tenant_runtime_governance', metadata);
    END LOOP;
END
$$;
GRANT INSERT, UPDATE ON runtime.tenants, runtime.tenant_user_roles, runtime.marketplace_listings
    TO tenant_runtime_platform;
GRANT UPDATE (ingest_status, queued_at) ON runtime.tenant_sources TO tenant_runtime_platform;
GRANT INSERT ON runtime.gate_overrides, runtime.approvals, runtime.publish_pipeline, runtime.audit_log
    TO tenant_runtime_platform;
GRANT SELECT ON runtime.tenant_coverage TO tenant_runtime_platform, tenant_runtime_governance;
