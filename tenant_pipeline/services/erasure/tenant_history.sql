-- What Dagster keeps of one tenant, a row each: events (materialisations carry a preview of rows), evaluations of checks,
-- assets whose last materialisation is the tenant's, and ended runs that were over this tenant alone. Of a run over several
-- tenants, and of what belongs to no run, the events of this one, and those whose text names one of its partitions
-- (:named): logs, failures, verdicts. What is planned names partitions and holds nothing of a source.

WITH told AS (
    SELECT run_id, split_part(partition, '|', 1) AS tenant FROM event_logs WHERE partition IS NOT NULL AND run_id <> ''
    UNION
    SELECT run_id, split_part(value, '|', 1) FROM run_tags
     WHERE key IN ('dagster/partition', 'dagster/asset_partition_range_start', 'dagster/asset_partition_range_end')
    UNION
    SELECT run_id, unnest(string_to_array(value, ', ')) FROM run_tags WHERE key = 'tenant'
),
over_it AS MATERIALIZED (
    SELECT run_id, bool_and(tenant = %(tenant)s) AS alone FROM told GROUP BY run_id HAVING bool_or(tenant = %(tenant)s)
)
SELECT 'event' AS kind, event.id::text AS id
  FROM event_logs AS event LEFT JOIN over_it ON over_it.run_id = event.run_id
 WHERE split_part(event.partition, '|', 1) = %(tenant)s
    OR over_it.alone
    OR ((NOT over_it.alone OR event.run_id = '')
        AND coalesce(event.dagster_event_type, '') NOT LIKE '%%PLANNED' AND event.event ~ %(named)s)
UNION ALL
SELECT 'evaluation', evaluation.id::text
  FROM asset_check_executions AS evaluation LEFT JOIN over_it ON over_it.run_id = evaluation.run_id
 WHERE split_part(evaluation.partition, '|', 1) = %(tenant)s
    OR over_it.alone
    OR (NOT over_it.alone AND evaluation.evaluation_event ~ %(named)s)
UNION ALL
SELECT 'asset', asset.id::text FROM asset_keys AS asset WHERE asset.last_materialization ~ %(named)s
UNION ALL
SELECT 'run', run.run_id FROM runs AS run JOIN over_it ON over_it.run_id = run.run_id AND over_it.alone
 WHERE run.status NOT IN ('STARTING', 'STARTED', 'CANCELING');
