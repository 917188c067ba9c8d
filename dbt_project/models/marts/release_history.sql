with published as (
    select entry.tenant_id, entry.id, entry.release_digest, entry.rollback_to, entry.created_at
      from {{ source('runtime', 'publish_pipeline') }} as entry
      join {{ ref('tenants') }} using (tenant_id)
     where entry.stage = 'published'
)

select published.tenant_id, row_number() over (partition by published.tenant_id order by published.id) as number,
       release.version, release.template_version, release.entities, release.value_count, release.built_at,
       published.created_at as published_at, published.rollback_to is not null as is_rollback,
       published.id = max(published.id) over (partition by published.tenant_id) as is_live
  from published
  join {{ source('runtime', 'releases') }} as release using (tenant_id, release_digest)
