with finding as (
    select verdict.tenant_id, verdict.source_id, verdict.band, found.finding
      from {{ ref('stg_gate_verdicts') }} as verdict
     cross join lateral jsonb_array_elements(verdict.findings) as found (finding)
     where verdict.gate = 'pii' and jsonb_typeof(found.finding) = 'object'
)

select tenant_id, finding ->> 'entity_type' as entity_type, finding ->> 'action' as action,
       coalesce(finding ->> 'category', '') as category, count(distinct source_id) as sources,
       count(*) as places, sum((finding ->> 'count')::bigint)::bigint as findings
  from finding
 group by tenant_id, entity_type, action, category
