with source as (
    select tenant_id, origin, count(*) as sources,
           count(*) filter (where ingest_status = 'assembled') as assembled,
           count(*) filter (where ingest_status in ('received', 'waiting', 'running')) as in_work,
           count(*) filter (where ingest_status = 'stopped') as stopped,
           count(*) filter (where ingest_status = 'withdrawn') as withdrawn,
           max(last_received_at) as last_received_at, max(assembled_at) as last_assembled_at,
           min(coalesce(observed_at, received_at)) filter (where ingest_status <> 'withdrawn') as oldest_observed_at
      from {{ ref('stg_sources') }}
     group by tenant_id, origin
),

feed as (
    select tenant_id, origin, count(*) as feeds, count(*) filter (where failures > 0) as failing,
           count(*) filter (where alerted = 'dead') as dead, count(*) filter (where alerted = 'stale') as stale,
           count(*) filter (where held) as held, count(*) filter (where status = 'paused') as paused,
           min(checked_at) as longest_unchecked_since
      from {{ ref('stg_feeds') }}
     group by tenant_id, origin
)

select tenant_id, origin, coalesce(source.sources, 0) as sources, coalesce(source.assembled, 0) as sources_assembled,
       coalesce(source.in_work, 0) as sources_in_work, coalesce(source.stopped, 0) as sources_stopped,
       coalesce(source.withdrawn, 0) as sources_withdrawn,
       source.last_received_at, source.last_assembled_at, source.oldest_observed_at,
       extract(epoch from now() - source.last_received_at)::float8 / 86400 as days_since_last_received,
       coalesce(feed.feeds, 0) as feeds, coalesce(feed.failing, 0) as feeds_failing,
       coalesce(feed.dead, 0) as feeds_dead, coalesce(feed.stale, 0) as feeds_stale,
       coalesce(feed.held, 0) as feeds_held, coalesce(feed.paused, 0) as feeds_paused, feed.longest_unchecked_since
  from source
  full join feed using (tenant_id, origin)
