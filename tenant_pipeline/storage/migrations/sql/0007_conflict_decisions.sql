-- Decisions about conflicts. A signature names exactly what it covers; it is never changed, only made void by a new row.

ALTER TABLE runtime.conflicts
    DROP CONSTRAINT conflicts_status_check,
    ADD CONSTRAINT conflicts_status_check CHECK (status IN ('open', 'explained', 'signed', 'stale')),
    ADD COLUMN explanation jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN reopened boolean NOT NULL DEFAULT false,
    ADD COLUMN signature_number integer,
    ADD CONSTRAINT conflicts_signed_by_a_signature CHECK ((status = 'signed') = (signature_number IS NOT NULL));

-- What the source says, relative to what the rules propose. `withdrawn`: it no longer takes part.
ALTER TABLE runtime.conflict_sources
    ADD COLUMN relation text NOT NULL DEFAULT 'differs'
        CHECK (relation IN ('agrees', 'refines', 'differs', 'incomparable', 'withdrawn'));
ALTER TABLE runtime.conflict_sources ALTER COLUMN relation DROP DEFAULT;

CREATE INDEX conflicts_in_order ON runtime.conflicts
    (tenant_id, (verdict <> 'differs'), (NOT needs_person), property, canonical_id, lang);

CREATE TABLE runtime.conflict_signatures (
    tenant_id             text NOT NULL,
    conflict_id           text NOT NULL,
    number                integer NOT NULL CHECK (number >= 0),
    decision              text NOT NULL CHECK (decision IN ('candidate', 'human-pin', 'both-right', 'link-wrong', 'void')),
    candidates_digest     text NOT NULL CHECK (candidates_digest ~ '^[0-9a-f]{64}$'),
    source_id             text NOT NULL,
    statement_id          text NOT NULL,
    value                 text,
    list_digest           text NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (btrim(role) <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    signed_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, conflict_id, number),
    UNIQUE (tenant_id, conflict_id, number, candidates_digest),
    FOREIGN KEY (tenant_id, conflict_id) REFERENCES runtime.conflicts (tenant_id, conflict_id)
);

-- A signature holds for the candidates that it was given for and for no others: the database sees to it.
ALTER TABLE runtime.conflicts
    ADD FOREIGN KEY (tenant_id, conflict_id, signature_number, candidates_digest)
        REFERENCES runtime.conflict_signatures (tenant_id, conflict_id, number, candidates_digest);

-- What an item was before its candidates changed or it ended.
CREATE TABLE runtime.conflict_versions (
    tenant_id             text NOT NULL,
    conflict_id           text NOT NULL,
    version               integer NOT NULL CHECK (version >= 0),
    candidates_digest     text NOT NULL,
    candidates            jsonb NOT NULL,
    verdict               text NOT NULL,
    proposed_value        text,
    proposed_rule         text NOT NULL,
    ended_by_source       text NOT NULL,
    ended_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, conflict_id, version),
    FOREIGN KEY (tenant_id, conflict_id) REFERENCES runtime.conflicts (tenant_id, conflict_id)
);

DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['conflict_signatures', 'conflict_versions'] LOOP
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', history);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', history);
        EXECUTE format(
            'CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                 USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()))',
            history);
        EXECUTE format('GRANT SELECT, INSERT ON runtime.%I TO tenant_runtime_tenants', history);
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
                 FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format(
            'CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
                 FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', history);
    END LOOP;
END
$$;

-- The value of each disputed property: what somebody signed, or, marked as unsigned, what the rules propose.
CREATE VIEW runtime.resolved_values WITH (security_invoker = true, security_barrier = true) AS
SELECT conflict.tenant_id, conflict.conflict_id, conflict.canonical_id, conflict.type, conflict.property, conflict.lang,
       said.value, said.source_id, said.statement_id,
       coalesce(signature.decision, 'proposal') AS decision, signature.number IS NOT NULL AS signed,
       signature.person, signature.role, signature.signed_at, conflict.candidates_digest
  FROM runtime.conflicts AS conflict
  LEFT JOIN runtime.conflict_signatures AS signature
    ON signature.tenant_id = conflict.tenant_id AND signature.conflict_id = conflict.conflict_id
   AND signature.number = conflict.signature_number
 CROSS JOIN LATERAL (
       SELECT signature.value, signature.source_id, signature.statement_id
        WHERE signature.decision IN ('candidate', 'human-pin')
       UNION ALL
       SELECT told.value, told.source_id, told.statement_id
         FROM (SELECT DISTINCT ON (one ->> 'value') one ->> 'value' AS value, one ->> 'source_id' AS source_id,
                      one ->> 'statement_id' AS statement_id
                 FROM jsonb_array_elements(conflict.candidates) AS one
                ORDER BY one ->> 'value', one ->> 'authority_tier', one ->> 'source_id', one ->> 'statement_id') AS told
        WHERE signature.decision = 'both-right'
       UNION ALL
       SELECT conflict.proposed_value, coalesce(first.source_id, ''), coalesce(first.statement_id, '')
         FROM (SELECT) AS unsigned
         LEFT JOIN LATERAL (
               SELECT one ->> 'source_id' AS source_id, one ->> 'statement_id' AS statement_id
                 FROM jsonb_array_elements(conflict.candidates) AS one
                WHERE one ->> 'value' = conflict.proposed_value
                ORDER BY one ->> 'authority_tier', one ->> 'source_id', one ->> 'statement_id'
                LIMIT 1) AS first ON true
        WHERE signature.number IS NULL) AS said
 WHERE conflict.status <> 'stale';

ALTER VIEW runtime.resolved_values OWNER TO tenant_runtime_owner;
GRANT SELECT ON runtime.resolved_values TO tenant_runtime_tenants;
