-- Governance marts: tables in a schema of their own, written by their builder and read by governance, with no way in for
-- a tenant. The builder's login reads across tenants only the columns that are granted to it here: counts, times and
-- verdicts, and no value, title, address, reason or person.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenant_runtime_marts') THEN
        CREATE ROLE tenant_runtime_marts LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tenant_runtime_marts', current_database());
END
$$;

CREATE SCHEMA governance AUTHORIZATION tenant_runtime_owner;
GRANT USAGE, CREATE ON SCHEMA governance TO tenant_runtime_marts;
GRANT USAGE ON SCHEMA governance TO tenant_runtime_governance;
GRANT USAGE ON SCHEMA runtime TO tenant_runtime_marts;
-- Marts are built, and a tenant is taken out of them, one at a time.
GRANT EXECUTE ON FUNCTION pg_advisory_xact_lock(bigint) TO tenant_runtime_marts;

-- Since when an item of the conflict matrix has been open. Of items from before, since now: it was not kept.
ALTER TABLE runtime.conflicts ADD COLUMN opened_at timestamptz NOT NULL DEFAULT now();
CREATE FUNCTION app.note_opening() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.opened_at := now();
    RETURN NEW;
END
$$;
ALTER FUNCTION app.note_opening() OWNER TO tenant_runtime_owner;
REVOKE ALL ON FUNCTION app.note_opening() FROM PUBLIC;
CREATE TRIGGER opened BEFORE UPDATE ON runtime.conflicts
    FOR EACH ROW WHEN (NEW.status = 'open' AND OLD.status <> 'open') EXECUTE FUNCTION app.note_opening();

-- What only the services can work out, kept day by day and month by month: the latest of each is brought up to date.
CREATE TABLE runtime.coverage_history (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    day                   date NOT NULL,
    dimension             text NOT NULL,
    numerator             bigint NOT NULL CHECK (numerator >= 0),
    denominator           bigint NOT NULL CHECK (denominator >= numerator),
    score                 double precision,
    band                  text NOT NULL CHECK (band IN ('pass', 'warn', 'fail', 'not-assessed')),
    counts_as             text NOT NULL CHECK (counts_as IN ('pass', 'warn', 'fail', 'not-assessed')),
    blocking              boolean NOT NULL,
    measured_at           timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, day, dimension)
);

CREATE TABLE runtime.cost_history (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    month                 date NOT NULL,
    item                  text NOT NULL,
    quantity              numeric NOT NULL,
    unit                  text NOT NULL,
    price                 numeric NOT NULL,
    amount                numeric NOT NULL,
    currency              text NOT NULL,
    measured_at           timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, month, item)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['coverage_history', 'cost_history'] LOOP
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', name);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                            USING (tenant_id = (SELECT app.my_tenant()))
                            WITH CHECK (tenant_id = (SELECT app.my_tenant()))', name);
        EXECUTE format('CREATE POLICY platform ON runtime.%I TO tenant_runtime_platform
                            USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON runtime.%I TO tenant_runtime_tenants', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON runtime.%I TO tenant_runtime_platform', name);
    END LOOP;
END
$$;

DO $$
DECLARE
    readable record;
BEGIN
    FOR readable IN
        SELECT * FROM (VALUES
            ('tenants', 'id, tier, status, created_at, go_live_at'),
            ('tenant_sources', 'tenant_id, id, origin, authority_rank, ingest_status, received_at, observed_at, assembled_at'),
            ('coverage_history', 'tenant_id, day, dimension, numerator, denominator, score, band, counts_as, blocking, measured_at'),
            ('cost_history', 'tenant_id, month, item, quantity, unit, price, amount, currency, measured_at'),
            ('conflicts', 'tenant_id, conflict_id, status, needs_person, opened_at, signature_number'),
            ('conflict_sources', 'tenant_id, conflict_id, source_id, relation'),
            ('conflict_signatures', 'tenant_id, conflict_id, number, decision, signed_at'),
            ('approval_requests', 'tenant_id, id, gate, needs, requested_at, due_at, expires_at'),
            ('approvals', 'tenant_id, id, request_id, role, decision, decided_at'),
            ('approval_steps', 'tenant_id, request_id, step, approval_id'),
            ('gate_verdicts', 'tenant_id, source_id, gate, input_digest, band, findings, decided_at'),
            ('gate_overrides', 'tenant_id, gate, created_at, expires_at'),
            ('feeds', 'tenant_id, id, origin, status, failures, checked_at, alerted'),
            ('feed_versions', 'tenant_id, feed_id, number, held'),
            ('feed_decisions', 'tenant_id, feed_id, number'),
            ('releases', 'tenant_id, release_digest, version, template_version, entities, value_count, built_at'),
            ('publish_pipeline', 'tenant_id, id, stage, release_digest, rollback_to, created_at'),
            ('audit_log', 'tenant_id, at, action'),
            ('erasure_steps', 'tenant_id')
        ) AS granted (name, columns)
    LOOP
        EXECUTE format('CREATE POLICY marts ON runtime.%I FOR SELECT TO tenant_runtime_marts USING (true)', readable.name);
        EXECUTE format('GRANT SELECT (%s) ON runtime.%I TO tenant_runtime_marts', readable.columns, readable.name);
    END LOOP;
END
$$;
