-- Events of Dagster's that belong to no run (each change of a feed leaves some) and are older than :before. Of each kind,
-- asset and partition the newest stays, and so does what an asset check rests on and what is of a tenant under a hold.
-- Dagster deletes events with their run, and has no way of its own for these.

WITH newest AS (
    SELECT max(id) AS id FROM event_logs WHERE run_id = '' GROUP BY dagster_event_type, asset_key, partition
),
gone AS (
    DELETE FROM event_logs AS event
     WHERE event.run_id = '' AND event.timestamp < %(before)s
       AND NOT split_part(coalesce(event.partition, ''), '|', 1) = ANY (%(held)s)
       AND NOT EXISTS (SELECT FROM newest WHERE newest.id = event.id)
       AND NOT EXISTS (SELECT FROM asset_check_executions AS evaluation
                        WHERE evaluation.evaluation_event_storage_id = event.id)
    RETURNING event.id
),
tags AS (
    DELETE FROM asset_event_tags AS tag USING gone WHERE tag.event_id = gone.id
)
SELECT count(*) AS deleted FROM gone;
