-- What is judged and decided: conflicts, coverage, approvals, publishing.

CREATE TABLE runtime.conflicts (
    tenant_id             text NOT NULL,
    conflict_id           text NOT NULL,
    canonical_id          text NOT NULL,
    type                  text NOT NULL,
    property              text NOT NULL,
    lang                  text NOT NULL,
    verdict               text NOT NULL CHECK (verdict IN ('same', 'refines', 'differs', 'incomparable')),
    rule                  text NOT NULL,
    candidates            jsonb NOT NULL,
    candidates_digest     text NOT NULL,
    proposed_value        text,
    proposed_rule         text NOT NULL,
    needs_person          boolean NOT NULL,
    status                text NOT NULL CHECK (status IN ('open', 'explained', 'signed')),
    updated_by_source     text NOT NULL,
    PRIMARY KEY (tenant_id, conflict_id)
);
CREATE INDEX conflicts_of_an_entity ON runtime.conflicts (tenant_id, canonical_id, property);

CREATE TABLE runtime.conflict_sources (
    tenant_id             text NOT NULL,
    conflict_id           text NOT NULL,
    source_id             text NOT NULL,
    PRIMARY KEY (tenant_id, conflict_id, source_id),
    FOREIGN KEY (tenant_id, conflict_id) REFERENCES runtime.conflicts (tenant_id, conflict_id)
);
CREATE INDEX conflict_sources_of_a_source ON runtime.conflict_sources (tenant_id, source_id);

CREATE TABLE runtime.coverage_scores (
    tenant_id             text NOT NULL,
    source_id             text NOT NULL,
    dimension             text NOT NULL,
    numerator             bigint NOT NULL CHECK (numerator >= 0),
    denominator           bigint NOT NULL CHECK (denominator >= numerator),
    score                 double precision,
    band                  text NOT NULL CHECK (band IN ('pass', 'warn', 'fail', 'not-assessed')),
    explanation           text NOT NULL,
    input_digest          text NOT NULL,
    PRIMARY KEY (tenant_id, source_id, dimension),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id)
);

-- The tenant's roll-up costs a sum over its sources, whatever they hold.
CREATE VIEW runtime.tenant_coverage WITH (security_invoker = true, security_barrier = true) AS
SELECT tenant_id, dimension, sum(numerator)::bigint AS numerator, sum(denominator)::bigint AS denominator,
       count(*) AS sources
  FROM runtime.coverage_scores
 GROUP BY tenant_id, dimension;

CREATE TABLE runtime.approvals (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    uuid NOT NULL,
    gate                  text NOT NULL CHECK (gate IN (
                              'gate-review', 'gate-conflict-resolution', 'gate-tenant-instantiate', 'gate-marketplace',
                              'gate-go-live')),
    subject               text NOT NULL,
    subject_digest        text NOT NULL CHECK (subject_digest ~ '^[0-9a-f]{64}$'),
    requested_by          text NOT NULL CHECK (requested_by <> ''),
    approver              text NOT NULL CHECK (approver <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    decision              text NOT NULL CHECK (decision IN ('approve', 'reject')),
    reason                text NOT NULL,
    decided_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    -- Four eyes: one decision a person, and never on a request of one's own.
    UNIQUE (tenant_id, gate, subject_digest, approver),
    CHECK (approver <> requested_by)
);

CREATE TABLE runtime.publish_pipeline (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    bigint GENERATED ALWAYS AS IDENTITY,
    stage                 text NOT NULL,
    rollback_to           bigint,
    approvals             jsonb NOT NULL DEFAULT '[]',
    created_by            text NOT NULL,
    created_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, rollback_to) REFERENCES runtime.publish_pipeline (tenant_id, id)
);
