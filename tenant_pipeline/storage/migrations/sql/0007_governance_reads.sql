-- What governance may read of what tenants say: only things that at least two tenants name by the same identifier, only
-- the columns that comparing them takes, and nothing about people. It writes nothing.

CREATE INDEX entity_keys_across_tenants ON runtime.entity_keys (scheme, value, type, tenant_id)
    WHERE kind = 'identifier';

CREATE POLICY governance ON runtime.entity_keys FOR SELECT TO tenant_runtime_governance
    USING (kind = 'identifier' AND type <> 'Person');
GRANT SELECT ON runtime.entity_keys TO tenant_runtime_governance;

-- With the rights of whoever asks: only governance may ask, and what it may see of the keys is said above. Key by key
-- through the indexes, whatever the planner believes of tables that nobody has analysed yet; its cost keeps the planner
-- from asking it of every row of a table instead of those that an index finds.
CREATE INDEX entity_keys_of_an_entity ON runtime.entity_keys (tenant_id, canonical_id) WHERE kind = 'identifier';
CREATE FUNCTION app.is_named_elsewhere(tenant text, entity text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(bool_or(elsewhere), false)
      FROM (SELECT (SELECT true FROM runtime.entity_keys AS other
                     WHERE other.kind = 'identifier' AND other.scheme = own.scheme AND other.value = own.value
                       AND other.type = own.type AND other.tenant_id <> tenant
                     LIMIT 1) AS elsewhere
              FROM runtime.entity_keys AS own
             WHERE own.kind = 'identifier' AND own.type <> 'Person'
               AND own.tenant_id = tenant AND own.canonical_id = entity) AS named
$$;
ALTER FUNCTION app.is_named_elsewhere(text, text) OWNER TO tenant_runtime_owner;
REVOKE ALL ON FUNCTION app.is_named_elsewhere(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.is_named_elsewhere(text, text) TO tenant_runtime_governance;

CREATE POLICY governance ON runtime.statements FOR SELECT TO tenant_runtime_governance
    USING (app.is_named_elsewhere(tenant_id, canonical_id));
GRANT SELECT (tenant_id, source_id, statement_id, canonical_id, type, property, value, lang, locator, method, last_seen)
    ON runtime.statements TO tenant_runtime_governance;

CREATE POLICY governance ON runtime.conflicts FOR SELECT TO tenant_runtime_governance
    USING (app.is_named_elsewhere(tenant_id, canonical_id));
GRANT SELECT (tenant_id, conflict_id, canonical_id, property, lang, proposed_value, status, signature_number)
    ON runtime.conflicts TO tenant_runtime_governance;

CREATE POLICY governance ON runtime.conflict_signatures FOR SELECT TO tenant_runtime_governance
    USING (EXISTS (SELECT FROM runtime.conflicts AS signed
                    WHERE signed.tenant_id = conflict_signatures.tenant_id
                      AND signed.conflict_id = conflict_signatures.conflict_id));
GRANT SELECT (tenant_id, conflict_id, number, decision, value) ON runtime.conflict_signatures
    TO tenant_runtime_governance;
