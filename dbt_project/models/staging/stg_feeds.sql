-- Feeds that have not ended, and whether a version of theirs waits for a person.
select feed.tenant_id, feed.id as feed_id, feed.origin, feed.status, feed.failures, feed.checked_at, feed.alerted,
       exists (select from {{ source('runtime', 'feed_versions') }} as version
                where version.tenant_id = feed.tenant_id and version.feed_id = feed.id and version.held
                  and version.number = (select max(newest.number) from {{ source('runtime', 'feed_versions') }} as newest
                                         where newest.tenant_id = feed.tenant_id and newest.feed_id = feed.id)
                  and not exists (select from {{ source('runtime', 'feed_decisions') }} as decision
                                   where decision.tenant_id = version.tenant_id and decision.feed_id = version.feed_id
                                     and decision.number = version.number)) as held
  from {{ source('runtime', 'feeds') }} as feed
  join {{ ref('tenants') }} using (tenant_id)
 where feed.status <> 'ended'
