-- Items of the conflict matrix that still stand, with the best tier of the sources that take part and what was decided.
select conflict.tenant_id, conflict.conflict_id, conflict.status, conflict.needs_person, conflict.opened_at,
       signature.decision, signature.signed_at,
       coalesce((select min(source.authority_rank)
                   from {{ source('runtime', 'conflict_sources') }} as member
                   join {{ source('runtime', 'tenant_sources') }} as source
                     on source.tenant_id = member.tenant_id and source.id = member.source_id
                  where member.tenant_id = conflict.tenant_id and member.conflict_id = conflict.conflict_id
                    and member.relation <> 'withdrawn'), 0)::int as tier
  from {{ source('runtime', 'conflicts') }} as conflict
  join {{ ref('tenants') }} using (tenant_id)
  left join {{ source('runtime', 'conflict_signatures') }} as signature
    on signature.tenant_id = conflict.tenant_id and signature.conflict_id = conflict.conflict_id
   and signature.number = conflict.signature_number
 where conflict.status <> 'stale'
