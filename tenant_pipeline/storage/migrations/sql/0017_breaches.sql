-- Breaches of personal data, from when somebody became aware of each to when it was notified and closed.

CREATE TABLE runtime.breaches (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    uuid NOT NULL,
    aware_at              timestamptz NOT NULL,
    summary               text NOT NULL CHECK (btrim(summary) <> ''),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role IN ('tenant-admin', 'platform-governance')),
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE runtime.breach_closings (
    tenant_id             text NOT NULL,
    breach_id             uuid NOT NULL,
    notified_at           timestamptz,
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role IN ('tenant-admin', 'platform-governance')),
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, breach_id),
    FOREIGN KEY (tenant_id, breach_id) REFERENCES runtime.breaches (tenant_id, id)
);

SELECT app.keep_as_history('breaches');
SELECT app.keep_as_history('breach_closings');
