-- Records of processing and breaches: written by the platform on a person's word, only ever added to.

CREATE TABLE runtime.processing_records (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    purpose               text NOT NULL CHECK (btrim(purpose) <> ''),
    basis                 text NOT NULL CHECK (basis <> ''),
    special_basis         text,
    origins               text[] NOT NULL,
    data_subjects         text NOT NULL CHECK (btrim(data_subjects) <> ''),
    retention_days        integer NOT NULL CHECK (retention_days > 0),
    destinations          jsonb NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);

CREATE TABLE runtime.breach_steps (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    breach_id             text NOT NULL,
    step                  text NOT NULL CHECK (step IN ('opened', 'notified')),
    happened_at           timestamptz NOT NULL,
    summary               text NOT NULL CHECK (btrim(summary) <> ''),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, breach_id, step)
);

SELECT app.keep_as_history('processing_records');
SELECT app.keep_as_history('breach_steps');
