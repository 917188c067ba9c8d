-- Rows that a tenant's login writes are read with those of all tenants: by the sensors, for the figures, by the marts.
-- So none may be such that reading it fails: a time that no calendar of ours knows, a sum that overflows, a list that
-- is none. Other rows from before than sources' are left as they are: they do not change any more.

-- What is not within the calendar could not be changed any more, not even to be erased. The owner's own rows too are
-- under row-level security; the rows of all tenants are meant here.
ALTER TABLE runtime.tenant_sources NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.tenant_sources
   SET redated = redated + coalesce(observed_at < '0001-01-02Z' OR observed_at >= '9999-12-31Z', false)::int,
       observed_at = CASE WHEN observed_at >= '0001-01-02Z' AND observed_at < '9999-12-31Z' THEN observed_at END,
       assembled_at = CASE WHEN assembled_at >= '0001-01-02Z' AND assembled_at < '9999-12-31Z' THEN assembled_at END,
       not_before = CASE WHEN not_before >= '0001-01-02Z' AND not_before < '9999-12-31Z' THEN not_before END,
       received_at = least(greatest(received_at, '0001-01-02Z'), '9999-12-30Z'),
       queued_at = least(greatest(queued_at, '0001-01-02Z'), '9999-12-30Z')
 WHERE least(observed_at, assembled_at, not_before, received_at, queued_at) < '0001-01-02Z'
    OR greatest(observed_at, assembled_at, not_before, received_at, queued_at) >= '9999-12-31Z';
ALTER TABLE runtime.tenant_sources FORCE ROW LEVEL SECURITY;

DO $$
DECLARE
    written record;
BEGIN
    FOR written IN
        SELECT class.oid::regclass AS name, class.relname, attribute.attname
          FROM pg_class AS class
          JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attnum > 0
         WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind = 'r'
           AND NOT attribute.attisdropped AND attribute.atttypid = 'timestamptz'::regtype
           AND has_column_privilege('tenant_runtime_tenants', class.oid, attribute.attnum, 'INSERT, UPDATE')
           -- Nobody else reads it, and there is always one before it.
           AND (class.relname, attribute.attname) <> ('source_standings', 'up_to')
         ORDER BY class.relname, attribute.attnum
    LOOP
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT %I CHECK (%I >= ''0001-01-02Z'' AND %I < ''9999-12-31Z'') NOT VALID',
            written.name, written.relname || '_' || written.attname || '_within_the_calendar',
            written.attname, written.attname);
    END LOOP;
END
$$;

ALTER TABLE runtime.stage_runs
    ADD CONSTRAINT stage_runs_are_counted CHECK (
        seconds >= 0 AND seconds < 1e9
        AND rows_in >= 0 AND rows_out >= 0 AND rows_rejected >= 0 AND rows_quarantined >= 0) NOT VALID;
ALTER TABLE runtime.gate_verdicts
    ADD CONSTRAINT gate_verdicts_are_lists CHECK (jsonb_typeof(reasons) = 'array' AND jsonb_typeof(findings) = 'array')
    NOT VALID;
