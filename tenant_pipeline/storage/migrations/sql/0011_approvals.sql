-- Who was asked to let what pass, who decided, and what became of it. Nothing here is ever changed: how a request stands
-- is derived from its records.

CREATE TABLE runtime.approval_requests (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    uuid NOT NULL,
    number                bigint GENERATED ALWAYS AS IDENTITY,
    gate                  text NOT NULL CHECK (gate IN (
                              'gate-review', 'gate-conflict-resolution', 'gate-tenant-instantiate', 'gate-marketplace',
                              'gate-go-live')),
    subject               text NOT NULL CHECK (subject IN ('release', 'rollback', 'instance', 'listing', 'lifecycle')),
    subject_digest        text NOT NULL CHECK (subject_digest ~ '^[0-9a-f]{64}$'),
    content               jsonb NOT NULL,
    needs                 jsonb NOT NULL,
    requested_by          text NOT NULL CHECK (btrim(requested_by) <> ''),
    reason                text NOT NULL,
    requested_at          timestamptz NOT NULL DEFAULT now(),
    due_at                timestamptz NOT NULL,
    expires_at            timestamptz NOT NULL CHECK (expires_at > requested_at),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, id, gate, subject, subject_digest, requested_by)
);
CREATE INDEX approval_requests_in_order ON runtime.approval_requests (tenant_id, subject, number);
CREATE INDEX approval_requests_that_fall_due ON runtime.approval_requests (due_at);

-- Decisions from before there were requests are kept, each with a request that has ended: they open nothing any more.
ALTER TABLE runtime.approvals ADD COLUMN request_id uuid;
INSERT INTO runtime.approval_requests
       (tenant_id, id, gate, subject, subject_digest, content, needs, requested_by, reason, requested_at, due_at,
        expires_at)
SELECT tenant_id, gen_random_uuid(), gate, subject, subject_digest, '{}', '[]', requested_by,
       'Decided before requests were kept', min(decided_at), max(decided_at), max(decided_at) + interval '1 second'
  FROM runtime.approvals GROUP BY tenant_id, gate, subject, subject_digest, requested_by;
ALTER TABLE runtime.approvals DISABLE TRIGGER append_only;
UPDATE runtime.approvals AS decided SET request_id = request.id
  FROM runtime.approval_requests AS request
 WHERE (request.tenant_id, request.gate, request.subject, request.subject_digest, request.requested_by)
     = (decided.tenant_id, decided.gate, decided.subject, decided.subject_digest, decided.requested_by);
ALTER TABLE runtime.approvals ENABLE ALWAYS TRIGGER append_only;

-- A decision says again what it decides on, and the database holds it to the request's own words.
ALTER TABLE runtime.approvals
    ALTER COLUMN request_id SET NOT NULL,
    ADD COLUMN on_behalf_of text,
    ADD COLUMN key_id text,
    ADD COLUMN signature bytea,
    ADD CHECK ((key_id IS NULL) = (signature IS NULL)),
    ADD CHECK (decision = 'approve' OR btrim(reason) <> ''),
    DROP CONSTRAINT approvals_tenant_id_gate_subject_digest_approver_key,
    ADD UNIQUE (tenant_id, request_id, approver),
    ADD FOREIGN KEY (tenant_id, request_id, gate, subject, subject_digest, requested_by)
        REFERENCES runtime.approval_requests (tenant_id, id, gate, subject, subject_digest, requested_by);

CREATE TABLE runtime.approval_steps (
    tenant_id             text NOT NULL,
    request_id            uuid NOT NULL,
    number                bigint GENERATED ALWAYS AS IDENTITY,
    step                  text NOT NULL CHECK (step IN (
                              'assigned', 'delegated', 'revoked', 'withdrawn', 'escalated', 'used')),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    to_person             text NOT NULL DEFAULT '',
    role                  text NOT NULL DEFAULT '',
    approval_id           uuid,
    reason                text NOT NULL DEFAULT '',
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, request_id, number),
    FOREIGN KEY (tenant_id, request_id) REFERENCES runtime.approval_requests (tenant_id, id),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES runtime.approvals (tenant_id, id),
    CHECK ((step = 'revoked') = (approval_id IS NOT NULL)),
    CHECK (step NOT IN ('assigned', 'delegated') OR (btrim(to_person) <> '' AND role <> ''))
);
INSERT INTO runtime.approval_steps (tenant_id, request_id, step, person, reason)
SELECT tenant_id, id, 'withdrawn', 'migration', reason FROM runtime.approval_requests;

-- An approval opens its gate once, whoever asks at the same time.
CREATE UNIQUE INDEX approval_steps_used_once ON runtime.approval_steps (tenant_id, request_id) WHERE step = 'used';
CREATE UNIQUE INDEX approval_steps_escalated_once ON runtime.approval_steps (tenant_id, request_id, to_person)
    WHERE step = 'escalated';
CREATE UNIQUE INDEX approval_steps_revoked_once ON runtime.approval_steps (tenant_id, approval_id)
    WHERE step = 'revoked';

-- Public keys of the people who sign their decisions. A key is added and ended, never changed.
CREATE TABLE runtime.person_keys (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    person                text NOT NULL CHECK (btrim(person) <> ''),
    key_id                text NOT NULL CHECK (key_id ~ '^[0-9a-f]{64}$'),
    step                  text NOT NULL CHECK (step IN ('added', 'ended')),
    algorithm             text NOT NULL CHECK (algorithm = 'ed25519'),
    public_key            bytea NOT NULL CHECK (octet_length(public_key) = 32),
    done_by               text NOT NULL CHECK (btrim(done_by) <> ''),
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person, key_id, step)
);

CREATE TABLE runtime.tenant_transitions (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    number                bigint GENERATED ALWAYS AS IDENTITY,
    from_state            text NOT NULL,
    to_state              text NOT NULL,
    rolls_back            boolean NOT NULL,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    reason                text NOT NULL,
    approvals             jsonb NOT NULL,
    at                    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number),
    CHECK (from_state <> to_state)
);

DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['approval_requests', 'approval_steps', 'person_keys', 'tenant_transitions'] LOOP
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

-- What no code above may forget: nobody decides in a role that the request did not ask for, nor after it has ended.
CREATE FUNCTION app.guard_approval() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked record;
BEGIN
    SELECT needs, expires_at INTO asked FROM runtime.approval_requests
     WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody asked for this' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM jsonb_array_elements(asked.needs) AS need WHERE need ? NEW.role) THEN
        RAISE EXCEPTION 'the request does not ask for this role' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.decided_at >= asked.expires_at THEN
        RAISE EXCEPTION 'the request has expired' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM runtime.approval_steps WHERE tenant_id = NEW.tenant_id AND request_id = NEW.request_id
                  AND step IN ('used', 'withdrawn')) THEN
        RAISE EXCEPTION 'the request has ended' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
ALTER FUNCTION app.guard_approval() OWNER TO tenant_runtime_owner;
REVOKE ALL ON FUNCTION app.guard_approval() FROM PUBLIC;
CREATE TRIGGER guarded BEFORE INSERT ON runtime.approvals FOR EACH ROW EXECUTE FUNCTION app.guard_approval();
ALTER TABLE runtime.approvals ENABLE ALWAYS TRIGGER guarded;
