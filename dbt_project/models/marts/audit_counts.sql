select entry.tenant_id, (entry.at at time zone 'Asia/Bangkok')::date as day, entry.action, count(*) as entries
  from {{ source('runtime', 'audit_log') }} as entry
  join {{ ref('tenants') }} using (tenant_id)
 group by entry.tenant_id, day, entry.action
