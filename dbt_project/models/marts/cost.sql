select history.tenant_id, history.month, history.item, history.quantity, history.unit, history.price, history.amount,
       history.currency, history.measured_at
  from {{ source('runtime', 'cost_history') }} as history
  join {{ ref('tenants') }} using (tenant_id)
