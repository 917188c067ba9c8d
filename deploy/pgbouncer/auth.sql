-- How PgBouncer learns a login's password: as a SCRAM secret, from which the password cannot be told. Run it as a
-- superuser in each database behind the pooler (docs/operate/postgresql.md). No superuser, and nobody who bypasses
-- row-level security, comes in by it: the administration role, which backups let do that, stands in userlist.txt.

CREATE SCHEMA pgbouncer;
REVOKE ALL ON SCHEMA pgbouncer FROM PUBLIC;
GRANT USAGE ON SCHEMA pgbouncer TO pgbouncer;

CREATE FUNCTION pgbouncer.login(INOUT login text, OUT secret text) RETURNS record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT rolname, rolpassword FROM pg_catalog.pg_authid
     WHERE rolname = login AND rolcanlogin AND NOT rolsuper AND NOT rolreplication AND NOT rolbypassrls;
END;

REVOKE ALL ON FUNCTION pgbouncer.login(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgbouncer.login(text) TO pgbouncer;
