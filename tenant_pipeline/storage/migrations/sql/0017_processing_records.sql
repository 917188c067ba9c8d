-- Records of processing activities: each version of each stands for good; an activity ends by a version that says so.

CREATE TABLE runtime.processing_records (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    activity              text NOT NULL CHECK (activity ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
    version               integer NOT NULL CHECK (version > 0),
    act                   text NOT NULL CHECK (act IN ('declare', 'end')),
    purpose               text NOT NULL CHECK (btrim(purpose) <> ''),
    basis                 text NOT NULL CHECK (basis IN (
                              'consent', 'research', 'vital-interest', 'contract', 'public-task', 'legitimate-interest',
                              'legal-obligation')),
    special_basis         text NOT NULL CHECK (special_basis IN (
                              '', 'explicit-consent', 'vital-interest', 'non-profit-body', 'made-public', 'legal-claim',
                              'medicine', 'public-health', 'social-protection', 'research',
                              'substantial-public-interest')),
    subjects              text[] NOT NULL,
    retention_days        integer NOT NULL CHECK (retention_days > 0),
    destinations          jsonb NOT NULL,
    sources               text[] NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role IN ('tenant-admin', 'platform-governance')),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, activity, version)
);

SELECT app.keep_as_history('processing_records');
