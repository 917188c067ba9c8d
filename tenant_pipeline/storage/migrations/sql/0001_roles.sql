-- Roles. The owner of the tables cannot log in; those who log in own nothing and may do only what is granted below.
-- Nothing is granted to PUBLIC.

DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('tenant_runtime_owner', 'NOLOGIN'),
            ('tenant_runtime_tenants', 'NOLOGIN'),
            ('tenant_runtime_platform', 'LOGIN'),
            ('tenant_runtime_governance', 'LOGIN')
        ) AS role (name, login)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format(
                'CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', wanted.name, wanted.login);
        END IF;
    END LOOP;
    -- Needed where the administration role is not a superuser: whoever hands a table over must be able to become its owner.
    EXECUTE format('GRANT tenant_runtime_owner TO %I', current_user);
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO tenant_runtime_tenants, tenant_runtime_platform, tenant_runtime_governance',
        current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO tenant_runtime_owner', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA app AUTHORIZATION tenant_runtime_owner;
CREATE SCHEMA runtime AUTHORIZATION tenant_runtime_owner;
GRANT USAGE ON SCHEMA app, runtime TO tenant_runtime_tenants, tenant_runtime_platform, tenant_runtime_governance;
ALTER DEFAULT PRIVILEGES FOR ROLE tenant_runtime_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
