-- How long a tenant's superseded files are kept, and legal holds: as long as one stands, nothing is pruned or erased.
-- Both are history: the last policy of a class holds, and a hold ends by a row of its own.

CREATE TABLE runtime.retention_policies (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    class                 text NOT NULL CHECK (class IN ('stage-outputs', 'raw-units')),
    days                  integer CHECK (days >= 7), -- NULL: kept for good
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);

CREATE TABLE runtime.legal_holds (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    uuid NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE runtime.legal_hold_ends (
    tenant_id             text NOT NULL,
    hold_id               uuid NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, hold_id),
    FOREIGN KEY (tenant_id, hold_id) REFERENCES runtime.legal_holds (tenant_id, id)
);

SELECT app.keep_as_history('retention_policies');
SELECT app.keep_as_history('legal_holds');
SELECT app.keep_as_history('legal_hold_ends');
