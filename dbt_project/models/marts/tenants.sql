-- The tenants of this build: every other mart asks here which there are, so that all tell of the same.
select tenant.tenant_id, tenant.tier, tenant.status, tenant.created_at, tenant.go_live_at,
       count(source.id) as sources,
       count(*) filter (where source.ingest_status = 'assembled') as sources_assembled,
       count(*) filter (where source.ingest_status = 'stopped') as sources_stopped,
       count(*) filter (where source.ingest_status = 'withdrawn') as sources_withdrawn,
       now() as built_at
  from {{ ref('stg_tenants') }} as tenant
  left join {{ source('runtime', 'tenant_sources') }} as source using (tenant_id)
 group by tenant.tenant_id, tenant.tier, tenant.status, tenant.created_at, tenant.go_live_at
