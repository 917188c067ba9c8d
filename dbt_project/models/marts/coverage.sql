select history.tenant_id, history.day, history.dimension, history.numerator, history.denominator, history.score,
       history.band, history.counts_as, history.blocking,
       history.day = max(history.day) over (partition by history.tenant_id) as is_latest, history.measured_at
  from {{ source('runtime', 'coverage_history') }} as history
  join {{ ref('tenants') }} using (tenant_id)
