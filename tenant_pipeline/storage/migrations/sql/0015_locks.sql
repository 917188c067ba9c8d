-- PostgreSQL lets every login take any advisory lock, look at everybody's locks, and lock any table that it may update.
-- With that a tenant could stop the others' work, and tell when they are at work.

CREATE FUNCTION app.lock(purpose text, tenant text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF tenant IS DISTINCT FROM app.my_tenant() AND session_user <> 'tenant_runtime_platform'
       AND NOT pg_has_role(session_user, 'tenant_runtime_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'only a tenant itself and the platform lock a tenant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(purpose || ' ' || tenant, 0));
END
$$;
ALTER FUNCTION app.lock(text, text) OWNER TO tenant_runtime_owner;
REVOKE ALL ON FUNCTION app.lock(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.lock(text, text) TO tenant_runtime_tenants, tenant_runtime_platform;

DO $$
DECLARE
    taken record;
BEGIN
    FOR taken IN
        SELECT oid::regprocedure AS signature FROM pg_proc
         WHERE pronamespace = 'pg_catalog'::regnamespace
           AND (proname LIKE 'pg\_advisory%' OR proname LIKE 'pg\_try\_advisory%')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tenant_runtime_owner', taken.signature);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', taken.signature);
    END LOOP;
    REVOKE ALL ON pg_locks FROM PUBLIC;
    REVOKE EXECUTE ON FUNCTION pg_lock_status() FROM PUBLIC;

    -- LOCK TABLE asks for UPDATE on the table; UPDATE on its columns does not do. Whose a row is nobody changes.
    FOR taken IN
        SELECT class.oid::regclass AS name,
               (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                 WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped AND attname <> 'tenant_id') AS columns
          FROM pg_class AS class
         WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind = 'r'
           AND has_table_privilege('tenant_runtime_tenants', class.oid, 'UPDATE')
    LOOP
        EXECUTE format('REVOKE UPDATE ON %s FROM tenant_runtime_tenants', taken.name);
        EXECUTE format('GRANT UPDATE (%s) ON %s TO tenant_runtime_tenants', taken.columns, taken.name);
    END LOOP;
END
$$;
