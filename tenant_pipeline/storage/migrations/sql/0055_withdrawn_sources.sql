-- A source that ought not to be there is withdrawn: it stays as history, and counts nowhere. When, by whom and why it was is
-- kept beside it.
ALTER TABLE runtime.tenant_sources ADD COLUMN withdrawal jsonb;
GRANT UPDATE (withdrawal) ON runtime.tenant_sources TO tenant_runtime_tenants;

ALTER TABLE runtime.tenant_sources
    DROP CONSTRAINT tenant_sources_ingest_status_check,
    ADD CONSTRAINT tenant_sources_ingest_status_check CHECK (ingest_status IN (
        'received', 'waiting', 'running', 'stopped', 'assembled', 'withdrawn')),
    ADD CONSTRAINT tenant_sources_withdrawn_by_somebody CHECK (
        ingest_status <> 'withdrawn'
        OR (withdrawal IS NOT NULL AND withdrawal ?& ARRAY['at', 'person', 'role', 'reason']
            AND btrim(withdrawal ->> 'reason') <> ''));

-- The tenant's roll-up costs a sum over its sources, whatever they hold. One that was withdrawn is none of them.
CREATE OR REPLACE VIEW runtime.tenant_coverage WITH (security_invoker = true, security_barrier = true) AS
SELECT score.tenant_id, score.dimension, sum(score.numerator)::bigint AS numerator,
       sum(score.denominator)::bigint AS denominator, count(*) AS sources
  FROM runtime.coverage_scores AS score
  JOIN runtime.tenant_sources AS source ON source.tenant_id = score.tenant_id AND source.id = score.source_id
 WHERE source.ingest_status <> 'withdrawn'
 GROUP BY score.tenant_id, score.dimension;

-- It is an act of the tenant's own (0046), and its login notes it.
DO $$
BEGIN
    EXECUTE format('ALTER POLICY own_acts ON runtime.audit_log WITH CHECK (%s OR action = %L)',
                   (SELECT pg_get_expr(polwithcheck, polrelid) FROM pg_policy
                     WHERE polname = 'own_acts' AND polrelid = 'runtime.audit_log'::regclass), 'source.withdraw');
END
$$;
