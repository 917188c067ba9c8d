-- What is kept of a home is written with it, in one transaction, and nobody may delete a home: a foreign key looked for it
-- anew, and locked it, for each of the three rows of every entity. So did the blocking keys' once.

ALTER TABLE runtime.entity_members DROP CONSTRAINT entity_members_tenant_id_canonical_id_fkey;
ALTER TABLE runtime.entity_features DROP CONSTRAINT entity_features_tenant_id_canonical_id_fkey;
ALTER TABLE runtime.entity_keys DROP CONSTRAINT entity_keys_tenant_id_canonical_id_fkey;

CREATE TRIGGER homes_stay BEFORE DELETE OR TRUNCATE ON runtime.entities
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_deletion();
