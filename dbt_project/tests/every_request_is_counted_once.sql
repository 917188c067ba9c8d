-- A request waits, was answered, was withdrawn unanswered, or has expired: nothing else.
{{ config(meta={'dagster': {'ref': {'name': 'review_sla'}}}) }}
select tenant_id, gate from {{ ref('review_sla') }}
 where waiting + answered_in_time + answered_late + expired > requests
    or waiting + answered_in_time + answered_late + expired + withdrawn < requests
