-- Feature flags per tenant, listings in the marketplace, and alerts on cost: each a history that is only added to.

CREATE TABLE runtime.flag_overrides (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    flag                  text NOT NULL CHECK (flag <> ''),
    act                   text NOT NULL CHECK (act IN ('set', 'clear')),
    value                 jsonb,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    expires_at            timestamptz,
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number),
    CHECK ((act = 'set') = (value IS NOT NULL))
);
CREATE INDEX flag_overrides_of_a_flag ON runtime.flag_overrides (tenant_id, flag, number DESC);

-- What is listed now stands in marketplace_listings; how it came there, and went, stands here.
CREATE TABLE runtime.listing_steps (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    step                  text NOT NULL CHECK (step IN ('listed', 'withdrawn')),
    release_digest        text NOT NULL,
    listing_digest        text NOT NULL CHECK (listing_digest ~ '^[0-9a-f]{64}$'),
    approvals             jsonb NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    reason                text NOT NULL,
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number),
    FOREIGN KEY (tenant_id, release_digest) REFERENCES runtime.releases (tenant_id, release_digest)
);

ALTER TABLE runtime.marketplace_listings
    ADD COLUMN release_digest text,
    ADD COLUMN listing jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN listed_at timestamptz,
    ADD CHECK (share_scope IN ('none', 'listing', 'read')),
    ADD FOREIGN KEY (tenant_id, release_digest) REFERENCES runtime.releases (tenant_id, release_digest);

CREATE TABLE runtime.cost_alerts (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    month                 date NOT NULL,
    threshold             numeric NOT NULL CHECK (threshold > 0),
    cost                  numeric NOT NULL,
    budget                numeric NOT NULL,
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, month, threshold)
);

DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['flag_overrides', 'listing_steps', 'cost_alerts'] LOOP
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', history);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', history);
        EXECUTE format('CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                            USING (tenant_id = (SELECT app.my_tenant()))
                            WITH CHECK (tenant_id = (SELECT app.my_tenant()))', history);
        EXECUTE format('CREATE POLICY platform ON runtime.%I TO tenant_runtime_platform
                            USING (true) WITH CHECK (true)', history);
        EXECUTE format('CREATE POLICY governance ON runtime.%I FOR SELECT TO tenant_runtime_governance
                            USING (true)', history);
        EXECUTE format('GRANT SELECT ON runtime.%I TO tenant_runtime_tenants, tenant_runtime_governance', history);
        EXECUTE format('GRANT SELECT, INSERT ON runtime.%I TO tenant_runtime_platform', history);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
                            FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
                            FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', history);
    END LOOP;
END
$$;
GRANT DELETE ON runtime.marketplace_listings TO tenant_runtime_platform;

-- What is counted for cost: how much, never what.
CREATE POLICY platform ON runtime.objects TO tenant_runtime_platform USING (true);
GRANT SELECT (tenant_id, source_id, object, size) ON runtime.objects TO tenant_runtime_platform;
