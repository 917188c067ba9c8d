-- A version of a source writes only what it changes. A statement is in force until it is retired: what a source goes on
-- saying is not touched. Said again later it is in force again, and `absent` keeps from when to when it was not.
-- `last_seen` of a retired one is when the last version that said it was assembled; one in force was last seen when its
-- source was last assembled, and its own `last_seen` is from when it last began to be in force, or later.

ALTER TABLE runtime.statements
    ADD COLUMN retired_at    timestamptz, -- NULL: in force
    ADD COLUMN absent        tstzmultirange NOT NULL DEFAULT '{}';

-- Until now what was last seen before its source was last assembled was not in force. When it was retired nobody noted:
-- by then it was. The owner's own rows too are under row level security; the rows of all tenants are meant here.
ALTER TABLE runtime.statements NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.tenant_sources NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.statements AS statement SET retired_at = source.assembled_at
  FROM runtime.tenant_sources AS source
 WHERE source.tenant_id = statement.tenant_id AND source.id = statement.source_id
   AND statement.last_seen < source.assembled_at;
ALTER TABLE runtime.tenant_sources FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.statements FORCE ROW LEVEL SECURITY;

GRANT UPDATE (retired_at, absent) ON runtime.statements TO tenant_runtime_tenants;
GRANT SELECT (retired_at) ON runtime.statements TO tenant_runtime_governance;
REVOKE SELECT (last_seen) ON runtime.statements FROM tenant_runtime_governance;

DROP VIEW runtime.statement_facts;
CREATE VIEW runtime.statement_facts WITH (security_invoker = true, security_barrier = true) AS
SELECT statement.tenant_id, statement.source_id, statement.statement_id, statement.entity_id, statement.canonical_id,
       statement.type, statement.property, statement.value, statement.raw_value, statement.lang, statement.datatype,
       statement.locator, statement.method, statement.valid_from, statement.valid_to, statement.first_seen,
       greatest(statement.last_seen, source.assembled_at) AS last_seen, statement.absent, source.origin,
       CASE WHEN starts_with(statement.method, 'ai;') THEN greatest(source.authority_rank, 5::smallint)
            ELSE source.authority_rank END AS authority_tier,
       source.observed_at
  FROM runtime.statements AS statement
  JOIN runtime.tenant_sources AS source
    ON source.tenant_id = statement.tenant_id AND source.id = statement.source_id
 WHERE statement.retired_at IS NULL;

ALTER VIEW runtime.statement_facts OWNER TO tenant_runtime_owner;
GRANT SELECT ON runtime.statement_facts TO tenant_runtime_tenants;

-- What linking knew of an entity when it last looked at it: empty is never the same.
ALTER TABLE runtime.entity_members ADD COLUMN features_digest text NOT NULL DEFAULT '';
GRANT UPDATE (features_digest) ON runtime.entity_members TO tenant_runtime_tenants;
