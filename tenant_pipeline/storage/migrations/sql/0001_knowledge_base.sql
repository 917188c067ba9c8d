-- What the sources say: statements, the entities they speak of, and how these were found to be the same.

CREATE TABLE runtime.entities (
    tenant_id             text NOT NULL,
    canonical_id          text NOT NULL,
    type                  text NOT NULL,
    created_by_source     text NOT NULL,
    PRIMARY KEY (tenant_id, canonical_id)
);

CREATE TABLE runtime.entity_members (
    tenant_id             text NOT NULL,
    source_id             text NOT NULL,
    entity_id             text NOT NULL,
    canonical_id          text NOT NULL,
    method                text NOT NULL,
    score                 double precision NOT NULL,
    explanation           jsonb NOT NULL,
    PRIMARY KEY (tenant_id, source_id, entity_id),
    FOREIGN KEY (tenant_id, canonical_id) REFERENCES runtime.entities (tenant_id, canonical_id)
);
CREATE INDEX entity_members_of_an_entity ON runtime.entity_members (tenant_id, canonical_id);

-- How an entity is found again: by identifiers, which name one thing, and by blocking keys, which narrow the search.
CREATE TABLE runtime.entity_keys (
    tenant_id             text NOT NULL,
    kind                  text NOT NULL CHECK (kind IN ('identifier', 'blocking')),
    type                  text NOT NULL,
    scheme                text NOT NULL,
    value                 text NOT NULL,
    canonical_id          text NOT NULL,
    PRIMARY KEY (tenant_id, kind, type, scheme, value, canonical_id),
    FOREIGN KEY (tenant_id, canonical_id) REFERENCES runtime.entities (tenant_id, canonical_id)
);

CREATE TABLE runtime.entity_features (
    tenant_id             text NOT NULL,
    canonical_id          text NOT NULL,
    features              jsonb NOT NULL,
    PRIMARY KEY (tenant_id, canonical_id),
    FOREIGN KEY (tenant_id, canonical_id) REFERENCES runtime.entities (tenant_id, canonical_id)
);

CREATE TABLE runtime.judgements (
    tenant_id             text NOT NULL,
    id                    text NOT NULL,
    left_id               text NOT NULL,
    right_id              text NOT NULL,
    judgement             text NOT NULL CHECK (judgement IN ('same', 'different', 'unsure')),
    score                 double precision,
    explanation           jsonb NOT NULL,
    decided_by            text NOT NULL DEFAULT '',
    decided_at            timestamptz,
    status                text NOT NULL CHECK (status IN ('proposed', 'decided', 'reverted')),
    PRIMARY KEY (tenant_id, id),
    CHECK (left_id < right_id)
);
CREATE INDEX judgements_of_a_pair ON runtime.judgements (tenant_id, left_id, right_id);

CREATE TABLE runtime.statements (
    tenant_id             text NOT NULL,
    source_id             text NOT NULL,
    statement_id          text NOT NULL,
    entity_id             text NOT NULL,
    canonical_id          text NOT NULL,
    type                  text NOT NULL,
    property              text NOT NULL,
    value                 text NOT NULL,
    raw_value             text NOT NULL,
    lang                  text NOT NULL,
    datatype              text NOT NULL,
    locator               text NOT NULL,
    method                text NOT NULL,
    valid_from            text NOT NULL,
    valid_to              text NOT NULL,
    first_seen            timestamptz NOT NULL,
    last_seen             timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, source_id, statement_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id)
);
CREATE INDEX statements_of_an_entity ON runtime.statements (tenant_id, canonical_id, property, lang);

-- A statement with what is constant for its source, as long as the source says it: what it no longer says was last
-- seen before it was last assembled. As its reader sees it: the view has no rights of its own.
CREATE VIEW runtime.statement_facts WITH (security_invoker = true, security_barrier = true) AS
SELECT statement.*, source.origin, source.authority_rank AS authority_tier, source.observed_at
  FROM runtime.statements AS statement
  JOIN runtime.tenant_sources AS source
    ON source.tenant_id = statement.tenant_id AND source.id = statement.source_id
 WHERE statement.last_seen >= coalesce(source.assembled_at, '-infinity');
