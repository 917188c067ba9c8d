-- Feeds: sources that are fetched by a schedule. A new version changes its source's unit; every version stays known.

ALTER TABLE runtime.tenant_sources ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version > 0);
GRANT UPDATE (unit_digest, version, observed_at) ON runtime.tenant_sources TO tenant_runtime_tenants;

CREATE TABLE runtime.feeds (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    text NOT NULL CHECK (id ~ '^feed-[0-9a-f]{16}$'),
    title                 text NOT NULL,
    url                   text NOT NULL CHECK (length(url) <= 2000),
    origin                text NOT NULL,
    rights                text NOT NULL DEFAULT '',
    cron                  text NOT NULL,
    time_zone             text NOT NULL,
    credential            text NOT NULL DEFAULT '' CHECK (credential ~ '^([a-z0-9][a-z0-9-]{0,62})?$'),
    least_rows            bigint NOT NULL DEFAULT 0 CHECK (least_rows >= 0),
    most_loss             double precision NOT NULL DEFAULT 0.5 CHECK (most_loss BETWEEN 0 AND 1),
    fresh_within_hours    integer CHECK (fresh_within_hours > 0), -- NULL: it may stay the same for ever
    status                text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'ended')),
    source_id             text NOT NULL CHECK (source_id ~ '^src-[0-9a-f]{16}$'),
    due_at                timestamptz NOT NULL,
    failures              integer NOT NULL DEFAULT 0 CHECK (failures >= 0), -- in a row
    error                 text NOT NULL DEFAULT '', -- of the last failure; empty after a success
    checked_at            timestamptz, -- when its server last answered well
    changed_at            timestamptz, -- when a new version was last taken in
    alerted               text NOT NULL DEFAULT '' CHECK (alerted IN ('', 'dead', 'stale')),
    created_by            text NOT NULL,
    created_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX feeds_due ON runtime.feeds (due_at) WHERE status = 'active';

CREATE TABLE runtime.feed_versions (
    tenant_id             text NOT NULL,
    feed_id               text NOT NULL,
    number                integer NOT NULL CHECK (number > 0),
    unit_digest           text NOT NULL CHECK (unit_digest ~ '^[0-9a-f]{64}$'),
    profile               jsonb NOT NULL,
    reasons               jsonb NOT NULL, -- why it is held; [] for one that flowed on
    fetched_at            timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, feed_id, number),
    FOREIGN KEY (tenant_id, feed_id) REFERENCES runtime.feeds (tenant_id, id)
);

CREATE TABLE runtime.feed_decisions (
    tenant_id             text NOT NULL,
    feed_id               text NOT NULL,
    number                integer NOT NULL,
    decision              text NOT NULL CHECK (decision IN ('accept', 'refuse')),
    person                text NOT NULL CHECK (person <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    decided_at            timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, feed_id, number),
    FOREIGN KEY (tenant_id, feed_id, number) REFERENCES runtime.feed_versions (tenant_id, feed_id, number)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['feeds', 'feed_versions', 'feed_decisions'] LOOP
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', name);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                            USING (tenant_id = (SELECT app.my_tenant()))
                            WITH CHECK (tenant_id = (SELECT app.my_tenant()))', name);
        EXECUTE format('GRANT SELECT, INSERT ON runtime.%I TO tenant_runtime_tenants', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['feed_versions', 'feed_decisions'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
                            FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', name);
        EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
                            FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', name);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', name);
    END LOOP;
END
$$;
GRANT UPDATE (title, url, rights, cron, time_zone, credential, least_rows, most_loss, fresh_within_hours, status, due_at, failures, error,
              checked_at, changed_at, alerted) ON runtime.feeds TO tenant_runtime_tenants;

-- The platform knows which feeds are due, and nothing of what they say or where they are.
CREATE POLICY schedule ON runtime.feeds FOR SELECT TO tenant_runtime_platform USING (true);
GRANT SELECT (tenant_id, id, status, due_at, source_id, failures, checked_at, changed_at, created_at, fresh_within_hours, alerted)
    ON runtime.feeds TO tenant_runtime_platform;
