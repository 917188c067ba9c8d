with request as (
    select *, not withdrawn and answered_at is null and now() < expires_at as waits,
           case when answered_at is not null
                then greatest(extract(epoch from answered_at - requested_at), 0)::float8 / 3600 end as hours
      from {{ ref('stg_approval_requests') }}
)

select tenant_id, gate, count(*) as requests,
       count(*) filter (where waits) as waiting,
       count(*) filter (where waits and now() > due_at) as waiting_too_long,
       count(*) filter (where answered_at <= due_at) as answered_in_time,
       count(*) filter (where answered_at > due_at) as answered_late,
       count(*) filter (where refused) as refused,
       count(*) filter (where withdrawn) as withdrawn,
       count(*) filter (where not withdrawn and answered_at is null and now() >= expires_at) as expired,
       count(*) filter (where escalated) as escalated,
       percentile_cont(0.5) within group (order by hours) as median_hours,
       max(hours) as most_hours
  from request
 group by tenant_id, gate
