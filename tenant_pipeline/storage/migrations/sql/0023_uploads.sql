-- Files that are on their way: each belongs to a person until it becomes part of a source, or until its time is over.

CREATE TABLE runtime.uploads (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    text NOT NULL CHECK (id ~ '^[0-9a-f]{32}$'),
    path                  text NOT NULL CHECK (length(path) BETWEEN 1 AND 1000),
    length                bigint NOT NULL CHECK (length >= 0),
    person                text NOT NULL,
    begun_at              timestamptz NOT NULL DEFAULT now(),
    expires_at            timestamptz NOT NULL,
    sha256                text CHECK (sha256 ~ '^[0-9a-f]{64}$'), -- NULL until all of it has arrived
    ended_at              timestamptz, -- given up, or part of a source
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX uploads_on_their_way ON runtime.uploads (tenant_id, expires_at) WHERE ended_at IS NULL;
ALTER TABLE runtime.uploads OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON runtime.uploads TO tenant_runtime_tenants
    USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()));
GRANT SELECT, INSERT ON runtime.uploads TO tenant_runtime_tenants;
GRANT UPDATE (path, sha256, ended_at) ON runtime.uploads TO tenant_runtime_tenants;
