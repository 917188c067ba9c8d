-- Tokens that were taken back before their time, and sign-in codes that were used: who may come in is the platform's
-- to know. A tenant of a token need not be registered yet, so nothing here refers to the registry.

CREATE TABLE runtime.token_revocations (
    tenant_id             text NOT NULL,
    number                bigint GENERATED ALWAYS AS IDENTITY,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    token_id              text NOT NULL, -- '' for every token of the person that was issued before
    expires_at            timestamptz NOT NULL,
    revoked_by            text NOT NULL CHECK (btrim(revoked_by) <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);
CREATE UNIQUE INDEX token_revocations_once ON runtime.token_revocations (tenant_id, token_id) WHERE token_id <> '';
CREATE INDEX token_revocations_of_person ON runtime.token_revocations (tenant_id, person, at) WHERE token_id = '';
SELECT app.keep_as_history('token_revocations');

-- Answers to requests that carried an Idempotency-Key, so that asking again does nothing again.
CREATE TABLE runtime.idempotent_requests (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    person                text NOT NULL,
    key                   text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_digest        text NOT NULL CHECK (request_digest ~ '^[0-9a-f]{64}$'),
    http_status           integer, -- NULL while it is being answered, or was given up
    body                  bytea,
    begun_at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person, key)
);
CREATE INDEX idempotent_requests_by_age ON runtime.idempotent_requests (begun_at);
ALTER TABLE runtime.idempotent_requests OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.idempotent_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.idempotent_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.idempotent_requests TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
GRANT SELECT, INSERT ON runtime.idempotent_requests TO tenant_runtime_tenants;
GRANT UPDATE (request_digest, http_status, body, begun_at) ON runtime.idempotent_requests TO tenant_runtime_tenants;

-- The platform throws away what is old, and reads nothing of it.
CREATE POLICY old_rows ON runtime.idempotent_requests TO tenant_runtime_platform
    USING (begun_at < now() - interval '24 hours');
GRANT SELECT (begun_at), DELETE ON runtime.idempotent_requests TO tenant_runtime_platform;
