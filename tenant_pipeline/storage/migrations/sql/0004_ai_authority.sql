-- What an AI wrote has the lowest tier in whatever source it lies; all else has its source's. Made anew and not
-- replaced, so that it takes in whatever columns the statements have by now.

DROP VIEW runtime.statement_facts;

CREATE VIEW runtime.statement_facts WITH (security_invoker = true, security_barrier = true) AS
SELECT statement.*, source.origin,
       CASE WHEN starts_with(statement.method, 'ai;') THEN greatest(source.authority_rank, 5::smallint)
            ELSE source.authority_rank END AS authority_tier,
       source.observed_at
  FROM runtime.statements AS statement
  JOIN runtime.tenant_sources AS source
    ON source.tenant_id = statement.tenant_id AND source.id = statement.source_id
 WHERE statement.last_seen >= coalesce(source.assembled_at, '-infinity');

ALTER VIEW runtime.statement_facts OWNER TO tenant_runtime_owner;
GRANT SELECT ON runtime.statement_facts TO tenant_runtime_tenants;
