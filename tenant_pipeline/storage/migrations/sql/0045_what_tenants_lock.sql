-- A tenant's login takes the locks that its own work takes, by their names: not those under which the platform decides
-- about it, and none of a name that it made up so that its number is another lock's.

CREATE OR REPLACE FUNCTION app.lock(purpose text, tenant text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF session_user <> 'tenant_runtime_platform' AND NOT pg_has_role(session_user, 'tenant_runtime_owner', 'MEMBER')
       AND (tenant IS DISTINCT FROM app.my_tenant()
            OR purpose NOT IN ('audit', 'linking', 'conflicts', 'mappings', 'retention')) THEN
        RAISE EXCEPTION 'only a tenant itself and the platform lock a tenant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(purpose || ' ' || tenant, 0));
END
$$;
