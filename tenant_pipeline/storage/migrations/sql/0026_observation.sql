-- What an operator watches: how much waits, since when, and what caused it. The platform sees counts and times, and of
-- feeds and uploads neither names nor addresses.

-- The span in which a source was put in line (W3C trace context), for the spans of its stages to point back to.
ALTER TABLE runtime.tenant_sources ADD COLUMN traceparent text NOT NULL DEFAULT ''
    CHECK (traceparent ~ '^(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})?$');
GRANT UPDATE (traceparent) ON runtime.tenant_sources TO tenant_runtime_tenants;

-- What was done lately is found without reading what was ever done: rows come in the order of time.
CREATE INDEX stage_runs_lately ON runtime.stage_runs USING brin (finished_at) WITH (pages_per_range = 32);

ALTER TABLE runtime.feed_versions ADD COLUMN held boolean GENERATED ALWAYS AS (reasons <> '[]'::jsonb) STORED;
CREATE POLICY observation ON runtime.feed_versions FOR SELECT TO tenant_runtime_platform USING (true);
CREATE POLICY observation ON runtime.feed_decisions FOR SELECT TO tenant_runtime_platform USING (true);
GRANT SELECT (tenant_id, feed_id, number, held) ON runtime.feed_versions TO tenant_runtime_platform;
GRANT SELECT (tenant_id, feed_id, number) ON runtime.feed_decisions TO tenant_runtime_platform;

CREATE POLICY observation ON runtime.uploads FOR SELECT TO tenant_runtime_platform USING (true);
GRANT SELECT (tenant_id, length, begun_at, expires_at, ended_at) ON runtime.uploads TO tenant_runtime_platform;
