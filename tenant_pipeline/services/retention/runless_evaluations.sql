-- Evaluations of asset checks that are older than :before and belong to no run: theirs was deleted, or they never had one
-- (each change of a feed). With them go the events that told of them. Of each check and partition the newest stays, and so
-- does what is of a tenant under a hold. With a run Dagster deletes its events and never these rows.

WITH newest AS (
    SELECT max(id) AS id FROM asset_check_executions GROUP BY asset_key, check_name, partition
),
gone AS (
    DELETE FROM asset_check_executions AS evaluation
     WHERE coalesce(evaluation.evaluation_event_timestamp, evaluation.create_timestamp) < %(before)s
       AND NOT split_part(coalesce(evaluation.partition, ''), '|', 1) = ANY (%(held)s)
       AND NOT EXISTS (SELECT FROM newest WHERE newest.id = evaluation.id)
       AND NOT EXISTS (SELECT FROM runs AS run WHERE run.run_id = evaluation.run_id)
    RETURNING evaluation.evaluation_event_storage_id AS event
),
events AS (
    DELETE FROM event_logs AS event USING gone WHERE event.id = gone.event
)
SELECT count(*) AS deleted FROM gone;
