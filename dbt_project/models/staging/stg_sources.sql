-- What was handed in: when, of which origin and authority, and how far it is. A feed's source was received last when the
-- newest of its versions was fetched that was taken in: one that was not held, or that a person let in.
with taken_in as (
    select feed.tenant_id, feed.source_id, max(version.fetched_at) as fetched_at
      from {{ source('runtime', 'feeds') }} as feed
      join {{ source('runtime', 'feed_versions') }} as version
        on version.tenant_id = feed.tenant_id and version.feed_id = feed.id
      left join {{ source('runtime', 'feed_decisions') }} as decided
        on decided.tenant_id = version.tenant_id and decided.feed_id = version.feed_id and decided.number = version.number
     where not version.held or decided.decision = 'accept'
     group by feed.tenant_id, feed.source_id
)

select source.tenant_id, source.id as source_id, source.origin, source.authority_rank, source.ingest_status,
       source.received_at, coalesce(taken_in.fetched_at, source.received_at) as last_received_at, source.observed_at,
       source.assembled_at
  from {{ source('runtime', 'tenant_sources') }} as source
  join {{ ref('tenants') }} using (tenant_id)
  left join taken_in on taken_in.tenant_id = source.tenant_id and taken_in.source_id = source.id
