-- The mart counts who has met which need. That holds while needs of one request are equal or have no role in common.
{{ config(meta={'dagster': {'ref': {'name': 'review_sla'}}}) }}
select one.tenant_id
  from {{ source('runtime', 'approval_requests') }} as one
  join {{ ref('review_sla') }} as mart on mart.tenant_id = one.tenant_id and mart.gate = one.gate
 cross join jsonb_array_elements(one.needs) as left_need (roles)
 cross join jsonb_array_elements(one.needs) as right_need (roles)
 where left_need.roles <> right_need.roles
   and exists (select from jsonb_array_elements_text(left_need.roles) as role (name) where right_need.roles ? role.name)
