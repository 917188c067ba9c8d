with item as (
    select tenant_id, tier, needs_person,
           case status when 'signed' then decision else status end as resolution,
           greatest(extract(epoch from coalesce(signed_at, now()) - opened_at), 0)::float8 / 86400 as days
      from {{ ref('stg_conflicts') }}
)

select tenant_id,
       case when days < 1 then 'under 1 day' when days < 7 then '1 to 7 days' when days < 30 then '7 to 30 days'
            when days < 90 then '30 to 90 days' else 'over 90 days' end as age,
       tier, resolution, count(*) as items, count(*) filter (where needs_person) as items_for_a_person,
       max(days) as most_days
  from item
 group by tenant_id, age, tier, resolution
