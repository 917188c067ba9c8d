-- What the pipeline did: objects, the record of each stage, and the gates. Digests and counts, never a source's values.

CREATE TABLE runtime.objects (
    tenant_id             text NOT NULL,
    source_id             text NOT NULL,
    object                text NOT NULL,
    sha256                text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size                  bigint NOT NULL CHECK (size >= 0),
    media_type            text NOT NULL,
    display_path          text NOT NULL,
    PRIMARY KEY (tenant_id, source_id, object),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id)
);

CREATE TABLE runtime.stage_runs (
    tenant_id             text NOT NULL,
    source_id             text NOT NULL,
    stage                 text NOT NULL,
    input_digest          text NOT NULL,
    code_version          text NOT NULL,
    output_digest         text NOT NULL,
    counts                jsonb NOT NULL,
    rows_in               bigint NOT NULL,
    rows_out              bigint NOT NULL,
    rows_rejected         bigint NOT NULL,
    rows_quarantined      bigint NOT NULL,
    reject_codes          jsonb NOT NULL,
    seconds               double precision NOT NULL,
    gate_verdict          text,
    run_id                text,
    finished_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, source_id, stage, input_digest, code_version),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id)
);

CREATE TABLE runtime.gate_verdicts (
    tenant_id             text NOT NULL,
    source_id             text NOT NULL,
    gate                  text NOT NULL CHECK (gate IN ('pii', 'quality')),
    input_digest          text NOT NULL,
    band                  text NOT NULL CHECK (band IN ('pass', 'warn', 'fail')),
    reasons               jsonb NOT NULL,
    findings              jsonb NOT NULL,
    decided_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, source_id, gate, input_digest),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id)
);

CREATE TABLE runtime.gate_overrides (
    tenant_id             text NOT NULL,
    id                    uuid NOT NULL,
    source_id             text NOT NULL,
    gate                  text NOT NULL CHECK (gate IN ('pii', 'quality')),
    input_digest          text NOT NULL,
    person                text NOT NULL CHECK (person <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    expires_at            timestamptz NOT NULL,
    created_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CHECK (expires_at > created_at),
    FOREIGN KEY (tenant_id, source_id) REFERENCES runtime.tenant_sources (tenant_id, id)
);
CREATE INDEX gate_overrides_of_a_verdict
    ON runtime.gate_overrides (tenant_id, source_id, gate, input_digest, expires_at);
