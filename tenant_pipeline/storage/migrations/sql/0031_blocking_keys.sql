-- Blocking keys by their digests. A key only nominates what is then compared, so that its words need not be kept: each
-- is the first eight bytes of the SHA-256 of `family scheme value`, and two that met by chance would cost a comparison.
-- An entity has a dozen or more, so the row is as narrow as it can be. No foreign key watches over it, row by row: keys
-- are written with their home in one transaction, and nobody deletes a home.

CREATE TABLE runtime.entity_blocking_keys (
    tenant_id             text NOT NULL,
    key                   bigint NOT NULL,
    canonical_id          text NOT NULL,
    PRIMARY KEY (tenant_id, key, canonical_id)
);

-- The owner's own rows too are under row level security; the rows of all tenants are meant here.
ALTER TABLE runtime.entity_keys NO FORCE ROW LEVEL SECURITY;
INSERT INTO runtime.entity_blocking_keys (tenant_id, key, canonical_id)
SELECT DISTINCT tenant_id,
       ('x' || encode(substr(sha256(convert_to(concat_ws(' ', type, scheme, value), 'UTF8')), 1, 8), 'hex'))
           ::bit(64)::bigint AS key,
       canonical_id
  FROM runtime.entity_keys WHERE kind = 'blocking'
 ORDER BY tenant_id, key, canonical_id;
DELETE FROM runtime.entity_keys WHERE kind = 'blocking';
ALTER TABLE runtime.entity_keys FORCE ROW LEVEL SECURITY;

-- From now on identifiers alone.
ALTER TABLE runtime.entity_keys DROP CONSTRAINT entity_keys_kind_check, ADD CHECK (kind = 'identifier');

ALTER TABLE runtime.entity_blocking_keys OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.entity_blocking_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.entity_blocking_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.entity_blocking_keys TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
-- By column: whoever may update the table as a whole may lock it.
GRANT SELECT, INSERT, UPDATE (key) ON runtime.entity_blocking_keys TO tenant_runtime_tenants;
