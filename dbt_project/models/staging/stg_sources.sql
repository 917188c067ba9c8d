-- What was handed in: when, of which origin and authority, and how far it is.
select source.tenant_id, source.id as source_id, source.origin, source.authority_rank, source.ingest_status,
       source.received_at, source.observed_at, source.assembled_at
  from {{ source('runtime', 'tenant_sources') }} as source
  join {{ ref('tenants') }} using (tenant_id)
