-- Every figure that the database can tell, in one snapshot: name, labels, value. Asked as the platform, of all tenants;
-- what grows with history is read for the last hour only. What is left of penetration tests is neither feed nor operation.

WITH tenants AS (
    SELECT status, count(*) AS tenants FROM runtime.tenants GROUP BY status
),
erased AS ( -- tenants whose erasure has begun: it stops their sources and leaves their requests as they were
    SELECT DISTINCT tenant_id FROM runtime.erasure_steps
),
in_service AS ( -- what the others have in line or stopped waits for their return, and for nobody to look at it
    SELECT id FROM runtime.tenants
     WHERE status NOT IN ('suspended', 'archived') AND id NOT IN (SELECT tenant_id FROM erased)
),
sources AS (
    SELECT source.ingest_status, tenant.tier, count(*) AS sources
      FROM runtime.tenant_sources AS source
      JOIN runtime.tenants AS tenant ON tenant.id = source.tenant_id
     GROUP BY source.ingest_status, tenant.tier
),
hindered AS (
    SELECT ingest_status AS status, coalesce(hindrance ->> 'code', '') AS code, count(*) AS sources
      FROM runtime.tenant_sources
      JOIN in_service ON in_service.id = tenant_id
     WHERE ingest_status = 'stopped'
        OR ingest_status IN ('received', 'waiting') AND (alone OR outages > 0)
     GROUP BY 1, 2
),
waiting AS (
    SELECT tenant_id, count(*) AS sources, min(queued_at) AS since
      FROM runtime.tenant_sources
      JOIN in_service ON in_service.id = tenant_id
     WHERE ingest_status IN ('received', 'waiting') GROUP BY tenant_id
),
verdicts AS ( -- the newest of each gate; an older output's verdict stops nobody any more
    SELECT DISTINCT ON (verdict.tenant_id, verdict.source_id, verdict.gate) verdict.*
      FROM runtime.tenant_sources AS source
      JOIN in_service ON in_service.id = source.tenant_id
      JOIN runtime.gate_verdicts AS verdict ON verdict.tenant_id = source.tenant_id AND verdict.source_id = source.id
     WHERE source.ingest_status = 'stopped'
     ORDER BY verdict.tenant_id, verdict.source_id, verdict.gate, verdict.decided_at DESC
),
closed AS (
    SELECT verdict.gate, count(*) AS gates
      FROM verdicts AS verdict
     WHERE verdict.band = 'fail'
       AND NOT EXISTS (SELECT FROM runtime.gate_overrides AS override
                        WHERE override.tenant_id = verdict.tenant_id AND override.source_id = verdict.source_id
                          AND override.gate = verdict.gate AND override.output_digest = verdict.output_digest
                          AND override.expires_at > now())
     GROUP BY verdict.gate
),
requests AS ( -- that wait for somebody: neither used, withdrawn, refused nor expired, and not approved by as many as it takes
    SELECT request.gate, count(*) AS requests, count(*) FILTER (WHERE request.due_at < now()) AS overdue
      FROM runtime.approval_requests AS request
     CROSS JOIN LATERAL (
           SELECT coalesce(bool_or(word.decision = 'reject'), false) AS refused,
                  array_agg(word.role) FILTER (WHERE word.decision = 'approve') AS approving
             FROM runtime.approvals AS word
            WHERE word.tenant_id = request.tenant_id AND word.request_id = request.id
              AND NOT EXISTS (SELECT FROM runtime.approval_steps AS step
                               WHERE step.tenant_id = word.tenant_id AND step.request_id = word.request_id
                                 AND step.approval_id = word.id AND step.step = 'revoked')) AS said
     WHERE request.expires_at > now() AND request.tenant_id NOT IN (SELECT tenant_id FROM erased)
       AND NOT EXISTS (SELECT FROM runtime.approval_steps AS step
                        WHERE step.tenant_id = request.tenant_id AND step.request_id = request.id
                          AND step.step IN ('used', 'withdrawn'))
       AND NOT said.refused
       -- Needs of one request are equal or have no role in common, as in the mart `review_sla`.
       AND EXISTS (SELECT FROM jsonb_array_elements(request.needs) AS need (roles)
                    GROUP BY need.roles
                   HAVING count(*) > (SELECT count(*) FROM unnest(said.approving) AS role WHERE need.roles ? role))
     GROUP BY request.gate
),
feeds AS ( -- of tenants that take something in by link: those of others are not asked
    SELECT count(*) FILTER (WHERE feed.status = 'active') AS active,
           count(*) FILTER (WHERE feed.status = 'paused') AS paused,
           count(*) FILTER (WHERE feed.status = 'active' AND alerted = 'dead') AS dead,
           count(*) FILTER (WHERE feed.status = 'active' AND alerted = 'stale') AS stale,
           count(*) FILTER (WHERE feed.status = 'active' AND failures > 0) AS failing,
           count(*) FILTER (WHERE feed.status <> 'ended' AND held) AS held,
           count(*) FILTER (WHERE due) AS due,
           count(*) FILTER (WHERE checked_at > now() - interval '1 hour') AS answered,
           coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE due)), 0) AS overdue_seconds
      FROM runtime.feeds AS feed
      JOIN in_service AS tenant ON tenant.id = feed.tenant_id AND tenant.id <> ALL(%(without_links)s)
       AND tenant.id <> ALL(%(under_test)s)
      LEFT JOIN runtime.tenant_sources AS source ON source.tenant_id = feed.tenant_id AND source.id = feed.source_id
     CROSS JOIN LATERAL (SELECT feed.status = 'active' AND due_at <= now()
                            AND (source.id IS NULL OR source.ingest_status IN ('assembled', 'stopped')) AS due) AS asked
),
stages AS (
    SELECT stage, count(*) AS runs, sum(rows_in) AS rows_in, sum(rows_out) AS rows_out,
           sum(rows_rejected) AS rejected, sum(rows_quarantined) AS quarantined, sum(seconds) AS seconds,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
      FROM runtime.stage_runs WHERE finished_at > now() - interval '1 hour' GROUP BY stage
),
uploads AS (
    SELECT count(*) AS uploads, coalesce(sum(length), 0) AS bytes
      FROM runtime.uploads WHERE ended_at IS NULL AND expires_at > now()
),
budgets AS ( -- tenants that have come to a share of their budget in this month, which is Bangkok's
    SELECT share AS threshold, count(alert.tenant_id) AS tenants
      FROM unnest(%(thresholds)s::numeric[]) AS share
      LEFT JOIN runtime.cost_alerts AS alert
        ON alert.threshold = share AND alert.month = date_trunc('month', now() AT TIME ZONE 'Asia/Bangkok')::date
     GROUP BY share
),
operations AS (
    SELECT count(*) AS unfinished
      FROM runtime.provisioning_operations AS operation
     WHERE operation.tenant_id <> ALL(%(under_test)s)
       AND NOT EXISTS (SELECT FROM runtime.provisioning_steps AS step
                        WHERE step.tenant_id = operation.tenant_id AND step.operation_id = operation.id
                          AND step.step IN ('done', 'compensated') AND step.state = 'done')
)
SELECT 'tenant_runtime_tenants' AS name, jsonb_build_object('status', status) AS labels, tenants::float8 AS value
  FROM tenants
UNION ALL SELECT 'tenant_runtime_sources', jsonb_build_object('status', ingest_status, 'tier', tier), sources FROM sources
UNION ALL SELECT 'tenant_runtime_sources_stopped', jsonb_build_object('code', code), sources FROM hindered
           WHERE status = 'stopped'
UNION ALL SELECT 'tenant_runtime_sources_set_back', jsonb_build_object('code', code), sum(sources) FROM hindered
           WHERE status <> 'stopped' GROUP BY code
UNION ALL SELECT 'tenant_runtime_tenants_with_waiting_sources', '{}', count(*) FROM waiting
UNION ALL SELECT 'tenant_runtime_oldest_waiting_source_seconds', '{}',
                 coalesce(extract(epoch FROM now() - min(since)), 0) FROM waiting
UNION ALL SELECT 'tenant_runtime_tenant_waiting_sources', jsonb_build_object('tenant', tenant_id), sources FROM waiting
           WHERE %(by_tenant)s
UNION ALL SELECT 'tenant_runtime_tenant_oldest_waiting_source_seconds', jsonb_build_object('tenant', tenant_id),
                 extract(epoch FROM now() - since) FROM waiting WHERE %(by_tenant)s
UNION ALL SELECT 'tenant_runtime_gates_closed', jsonb_build_object('gate', gate), gates FROM closed
UNION ALL SELECT 'tenant_runtime_approvals_waiting', jsonb_build_object('gate', gate), requests FROM requests
UNION ALL SELECT 'tenant_runtime_approvals_overdue', jsonb_build_object('gate', gate), overdue FROM requests
UNION ALL SELECT 'tenant_runtime_feeds', jsonb_build_object('state', state), in_it
            FROM feeds, LATERAL (VALUES ('active', active), ('paused', paused), ('dead', dead), ('stale', stale),
                                              ('failing', failing), ('due', due), ('held', held))
                                      AS each (state, in_it)
UNION ALL SELECT 'tenant_runtime_feeds_answered_last_hour', '{}', answered FROM feeds
UNION ALL SELECT 'tenant_runtime_feed_most_overdue_seconds', '{}', overdue_seconds FROM feeds
UNION ALL SELECT 'tenant_runtime_stage_runs_last_hour', jsonb_build_object('stage', stage), runs FROM stages
UNION ALL SELECT 'tenant_runtime_stage_busy_seconds_last_hour', jsonb_build_object('stage', stage), seconds FROM stages
UNION ALL SELECT 'tenant_runtime_stage_seconds_last_hour',
                 jsonb_build_object('stage', stage, 'quantile', quantile), seconds_taken
            FROM stages, LATERAL (VALUES ('0.5', median), ('0.95', p95)) AS each (quantile, seconds_taken)
UNION ALL SELECT 'tenant_runtime_stage_rows_last_hour', jsonb_build_object('stage', stage, 'rows', what), count_of
            FROM stages, LATERAL (VALUES ('in', rows_in), ('out', rows_out), ('rejected', rejected),
                                         ('quarantined', quarantined)) AS each (what, count_of)
UNION ALL SELECT 'tenant_runtime_uploads_unfinished', '{}', uploads FROM uploads
UNION ALL SELECT 'tenant_runtime_upload_unfinished_bytes', '{}', bytes FROM uploads
UNION ALL SELECT 'tenant_runtime_provisioning_unfinished', '{}', unfinished FROM operations
UNION ALL SELECT 'tenant_runtime_budgets_exceeded', jsonb_build_object('threshold', trim_scale(threshold)::text), tenants
            FROM budgets
UNION ALL SELECT 'tenant_runtime_database_bytes', '{}', pg_database_size(current_database())
UNION ALL SELECT 'tenant_runtime_database_connections', '{}', coalesce(sum(numbackends), 0)
            FROM pg_stat_database -- pg_stat_activity tells a login of its own sessions only
UNION ALL SELECT 'tenant_runtime_database_connections_limit', '{}', current_setting('max_connections')::int;
