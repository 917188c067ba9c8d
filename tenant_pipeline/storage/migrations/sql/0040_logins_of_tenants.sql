-- A tenant's login works on rows. It makes nothing that a mightier role would run, look into or wait for, and it adds to
-- its audit log only what follows on what is there.

-- None of our own roles, and none with powers, is ever a tenant's login, whatever a tenant is called. And a tenant makes
-- nothing in its schema: the tables there are written by the platform, which would run what hangs on them.
CREATE OR REPLACE FUNCTION app.admit_tenant(tenant text, login text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF login ~ '^tenant_runtime(_|$)' OR EXISTS (
           SELECT FROM pg_roles WHERE rolname = login
              AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)) THEN
        RAISE EXCEPTION 'the role is not one of a tenant''s login' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO runtime.tenant_logins (role_name, tenant_id) VALUES (login, tenant) ON CONFLICT (role_name) DO NOTHING;
    IF NOT EXISTS (SELECT FROM runtime.tenant_logins WHERE role_name = login AND tenant_id = tenant) THEN
        RAISE EXCEPTION 'the login belongs to another tenant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('GRANT tenant_runtime_tenants TO %I WITH INHERIT TRUE, SET FALSE', login);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), login);
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', login);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', login, login);
END
$$;

DO $$
DECLARE
    admitted record;
    taken record;
BEGIN
    FOR admitted IN
        SELECT role_name FROM runtime.tenant_logins
         WHERE EXISTS (SELECT FROM pg_namespace WHERE nspname = role_name)
           AND EXISTS (SELECT FROM pg_roles WHERE rolname = role_name)
    LOOP
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', admitted.role_name, admitted.role_name);
    END LOOP;

    -- Large objects lie outside of every schema, and of what is erased with a tenant.
    FOR taken IN
        SELECT oid::regprocedure AS signature FROM pg_proc
         WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea')
           AND has_function_privilege(oid, 'EXECUTE')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', taken.signature);
    END LOOP;
    -- From the database that PostgreSQL has for a pattern every login could look at the locks of all others.
    IF EXISTS (SELECT FROM pg_database WHERE datname = 'template1' AND has_database_privilege(oid, 'CONNECT')) THEN
        REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;
    END IF;
END
$$;

-- An entry has the number and the hash that follow on the last. With any other a tenant's login could have ended its
-- log: at the largest number nothing can be added, and what cannot be audited is not done. Whoever stands above row
-- security brings logs back as they were.
CREATE FUNCTION app.guard_audit_log() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF row_security_active('runtime.audit_log'::regclass) AND EXISTS (
           SELECT FROM added
             LEFT JOIN runtime.audit_log AS before
               ON before.tenant_id = added.tenant_id AND before.sequence = added.sequence - 1
            WHERE added.previous_hash IS DISTINCT FROM
                  CASE WHEN added.sequence = 1 THEN repeat('0', 64) ELSE before.hash END) THEN
        RAISE EXCEPTION 'an entry of the audit log follows on the last' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
ALTER FUNCTION app.guard_audit_log() OWNER TO tenant_runtime_owner;
REVOKE ALL ON FUNCTION app.guard_audit_log() FROM PUBLIC;
CREATE TRIGGER follows AFTER INSERT ON runtime.audit_log
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION app.guard_audit_log();
