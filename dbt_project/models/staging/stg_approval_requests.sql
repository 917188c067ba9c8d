-- Requests, with when each was answered: refused, or approved by as many people as each of its needs takes.
-- Needs are sets of roles. Those of one request are equal or have no role in common (a test sees to it), so that the
-- n-th approval in a set meets the n-th need of it.
with request as (
    select asked.tenant_id, asked.id as request_id, asked.gate, asked.needs, asked.requested_at, asked.due_at,
           asked.expires_at
      from {{ source('runtime', 'approval_requests') }} as asked
      join {{ ref('tenants') }} using (tenant_id)
),

decision as (
    select approval.tenant_id, approval.request_id, approval.role, approval.decision, approval.decided_at
      from {{ source('runtime', 'approvals') }} as approval
     where not exists (select from {{ source('runtime', 'approval_steps') }} as step
                        where step.tenant_id = approval.tenant_id and step.request_id = approval.request_id
                          and step.approval_id = approval.id and step.step = 'revoked')
),

need as (
    select request.tenant_id, request.request_id, need.roles, count(*) as people
      from request cross join jsonb_array_elements(request.needs) as need (roles)
     group by request.tenant_id, request.request_id, need.roles
),

met as (
    select need.tenant_id, need.request_id, met.at
      from need
      left join lateral (
           select decision.decided_at as at
             from decision
            where decision.tenant_id = need.tenant_id and decision.request_id = need.request_id
              and decision.decision = 'approve' and need.roles ? decision.role
            order by decision.decided_at
            limit 1 offset need.people - 1) as met on true
),

approved as (
    select tenant_id, request_id, case when count(*) = count(at) then max(at) end as at
      from met
     group by tenant_id, request_id
),

refused as (
    select tenant_id, request_id, min(decided_at) as at
      from decision
     where decision = 'reject'
     group by tenant_id, request_id
),

step as (
    select tenant_id, request_id, bool_or(step = 'withdrawn') as withdrawn, bool_or(step = 'escalated') as escalated
      from {{ source('runtime', 'approval_steps') }}
     group by tenant_id, request_id
)

select request.tenant_id, request.request_id, request.gate, request.requested_at, request.due_at, request.expires_at,
       least(approved.at, refused.at) as answered_at, refused.at is not null as refused,
       coalesce(step.withdrawn, false) as withdrawn, coalesce(step.escalated, false) as escalated
  from request
  left join approved using (tenant_id, request_id)
  left join refused using (tenant_id, request_id)
  left join step using (tenant_id, request_id)
