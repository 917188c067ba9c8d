-- Tenants that governance is told of: all but those whose erasure has begun.
select tenant.id as tenant_id, tenant.tier, tenant.status, tenant.created_at, tenant.go_live_at
  from {{ source('runtime', 'tenants') }} as tenant
 where not exists (select from {{ source('runtime', 'erasure_steps') }} as step where step.tenant_id = tenant.id)
