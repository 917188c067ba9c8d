-- The statements of an entity lie together in the primary key. A statement's id is a digest over the entity too, so that
-- it is unique as before; but entries in the order of digests alone went anywhere in the index, each to a page of its
-- own: most of what a large source cost. The other index names an entity once for all that is said of it.

ALTER TABLE runtime.statements
    DROP CONSTRAINT statements_pkey,
    ADD PRIMARY KEY (tenant_id, source_id, entity_id, statement_id);

DROP INDEX runtime.statements_of_an_entity;
CREATE INDEX statements_of_an_entity ON runtime.statements (tenant_id, canonical_id);
