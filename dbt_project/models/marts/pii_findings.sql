with finding as (
    select verdict.tenant_id, verdict.source_id, coalesce(found.finding ->> 'entity_type', '') as entity_type,
           coalesce(found.finding ->> 'action', '') as action, coalesce(found.finding ->> 'category', '') as category,
           case when jsonb_typeof(found.finding -> 'count') = 'number'
                then least(greatest((found.finding ->> 'count')::numeric, 0), 1e12) else 0 end as findings
      from {{ ref('stg_gate_verdicts') }} as verdict
     cross join lateral jsonb_array_elements(verdict.findings) as found (finding)
     where verdict.gate = 'pii' and jsonb_typeof(found.finding) = 'object'
)

select tenant_id, entity_type, action, category, count(distinct source_id) as sources, count(*) as places,
       sum(findings)::bigint as findings
  from finding
 group by tenant_id, entity_type, action, category
