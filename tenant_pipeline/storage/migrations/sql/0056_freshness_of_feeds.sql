-- The marts tell when a feed's source was received last: by the newest of its versions that was taken in.
GRANT SELECT (source_id) ON runtime.feeds TO tenant_runtime_marts;
GRANT SELECT (fetched_at) ON runtime.feed_versions TO tenant_runtime_marts;
GRANT SELECT (decision) ON runtime.feed_decisions TO tenant_runtime_marts;
