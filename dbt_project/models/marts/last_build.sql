-- Built when every other mart is: a build in which one fails, or that is killed, leaves this as it was.
-- depends_on: {{ ref('coverage') }}, {{ ref('conflicts') }}, {{ ref('review_sla') }}, {{ ref('pii_findings') }}
-- depends_on: {{ ref('gate_verdicts') }}, {{ ref('source_freshness') }}, {{ ref('release_history') }}, {{ ref('cost') }}
-- depends_on: {{ ref('audit_counts') }}
select tenant_id, built_at from {{ ref('tenants') }}
