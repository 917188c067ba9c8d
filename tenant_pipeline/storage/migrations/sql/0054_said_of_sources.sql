-- What was said of a source when it was handed in can be put right. How often its rights, and the day as of which its facts
-- hold, were others than before: what was judged by them is judged anew, also where they are again what they once were.
ALTER TABLE runtime.tenant_sources
    ADD COLUMN redeclared integer NOT NULL DEFAULT 0 CHECK (redeclared >= 0),
    ADD COLUMN redated integer NOT NULL DEFAULT 0 CHECK (redated >= 0);
GRANT UPDATE (redeclared, redated) ON runtime.tenant_sources TO tenant_runtime_tenants;

-- Until now what was changed of a feed did not reach its source. The owner's own rows too are under row level security;
-- the rows of all tenants are meant here.
ALTER TABLE runtime.tenant_sources NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.feeds NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.tenant_sources AS source
   SET title = feed.title, rights = feed.rights, redeclared = redeclared + (source.rights <> feed.rights)::int,
       ingest_status = CASE WHEN source.rights <> feed.rights AND ingest_status = 'assembled' THEN 'waiting'
                            ELSE ingest_status END,
       queued_at = CASE WHEN source.rights <> feed.rights AND ingest_status = 'assembled' THEN clock_timestamp()
                        ELSE queued_at END
  FROM runtime.feeds AS feed
 WHERE feed.tenant_id = source.tenant_id AND feed.source_id = source.id AND feed.status <> 'ended'
   AND (source.title, source.rights) <> (feed.title, feed.rights);
ALTER TABLE runtime.feeds FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.tenant_sources FORCE ROW LEVEL SECURITY;

-- It is an act of the tenant's own (0046), and its login notes it.
DO $$
BEGIN
    EXECUTE format('ALTER POLICY own_acts ON runtime.audit_log WITH CHECK (%s OR action = %L)',
                   (SELECT pg_get_expr(polwithcheck, polrelid) FROM pg_policy
                     WHERE polname = 'own_acts' AND polrelid = 'runtime.audit_log'::regclass), 'source.change');
END
$$;
