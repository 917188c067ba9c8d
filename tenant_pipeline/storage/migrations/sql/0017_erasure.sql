-- Requests to erase all that a tenant has, and each step of doing so.

CREATE TABLE runtime.erasure_requests (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    uuid NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role IN ('tenant-admin', 'platform-governance', 'founder')),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    requested_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE runtime.erasure_steps (
    tenant_id             text NOT NULL,
    request_id            uuid NOT NULL,
    step                  text NOT NULL CHECK (step <> ''),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    detail                jsonb NOT NULL,
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, request_id, step),
    FOREIGN KEY (tenant_id, request_id) REFERENCES runtime.erasure_requests (tenant_id, id)
);

SELECT app.keep_as_history('erasure_requests');
SELECT app.keep_as_history('erasure_steps');
