-- The last verdict of each gate on each source.
select distinct on (verdict.tenant_id, verdict.source_id, verdict.gate)
       verdict.tenant_id, verdict.source_id, verdict.gate, verdict.band, verdict.findings, verdict.decided_at
  from {{ source('runtime', 'gate_verdicts') }} as verdict
  join {{ ref('tenants') }} using (tenant_id)
 order by verdict.tenant_id, verdict.source_id, verdict.gate, verdict.decided_at desc, verdict.output_digest
