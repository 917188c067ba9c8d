-- The audit log, and the rule that what is history is only ever added to: in every session, replicas' included.

CREATE TABLE runtime.audit_log (
    tenant_id             text NOT NULL,
    sequence              bigint NOT NULL CHECK (sequence > 0),
    at                    timestamptz NOT NULL,
    actor                 text NOT NULL,
    action                text NOT NULL,
    subject               text NOT NULL,
    details               jsonb NOT NULL,
    previous_hash         text NOT NULL,
    hash                  text NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
);

CREATE FUNCTION app.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['audit_log', 'stage_runs', 'gate_overrides', 'approvals', 'publish_pipeline'] LOOP
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
                 FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format(
            'CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
                 FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', history);
    END LOOP;
END
$$;
