with verdict as (
    select tenant_id, gate, count(*) as sources_judged, count(*) filter (where band = 'pass') as passed,
           count(*) filter (where band = 'warn') as warned, count(*) filter (where band = 'fail') as failed,
           max(decided_at) as last_judged_at
      from {{ ref('stg_gate_verdicts') }}
     group by tenant_id, gate
),

override as (
    select tenant_id, gate, count(*) as given, count(*) filter (where expires_at > now()) as in_force,
           max(created_at) as last_given_at
      from {{ source('runtime', 'gate_overrides') }}
     group by tenant_id, gate
)

select verdict.tenant_id, verdict.gate, verdict.sources_judged, verdict.passed, verdict.warned, verdict.failed,
       verdict.last_judged_at, coalesce(override.given, 0) as overrides_given,
       coalesce(override.in_force, 0) as overrides_in_force, override.last_given_at as last_override_at
  from verdict
  left join override using (tenant_id, gate)
