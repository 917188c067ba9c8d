-- Entities that can be put together and taken apart again. A row of `entities` is a home: it stays, with its keys and
-- features. `merged_into` is the canonical entity that it belongs to now (none: it is one itself), `attached_to` what
-- linking itself found it to be one with. Members know their home, so that each goes back where it came from.

ALTER TABLE runtime.entities
    ADD COLUMN family        text NOT NULL DEFAULT '',
    ADD COLUMN born_at       timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN merged_into   text,
    ADD COLUMN attached_to   text NOT NULL DEFAULT '',
    ADD COLUMN attached_bits double precision,
    ADD CHECK (merged_into <> canonical_id);
CREATE INDEX entities_merged_into ON runtime.entities (tenant_id, merged_into) WHERE merged_into IS NOT NULL;

ALTER TABLE runtime.entity_members
    ADD COLUMN home_id       text,
    ADD COLUMN source_table  text NOT NULL DEFAULT '';
-- The owner's own rows too are under row level security; the rows of all tenants are meant here.
ALTER TABLE runtime.entity_members NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.entity_members SET home_id = canonical_id;
ALTER TABLE runtime.entity_members ALTER COLUMN home_id SET NOT NULL;
ALTER TABLE runtime.entity_members FORCE ROW LEVEL SECURITY;

DROP INDEX runtime.entity_members_of_an_entity;
CREATE INDEX entity_members_of_an_entity ON runtime.entity_members (tenant_id, canonical_id, source_id);

-- A judgement is on two homes. What stands now is in `judgements`; all that was ever said is here.
CREATE INDEX judgements_of_the_right ON runtime.judgements (tenant_id, right_id);

CREATE TABLE runtime.judgement_history (
    tenant_id             text NOT NULL,
    sequence              bigint NOT NULL CHECK (sequence > 0),
    left_id               text NOT NULL,
    right_id              text NOT NULL,
    judgement             text NOT NULL CHECK (judgement IN ('same', 'different', 'unsure', 'none')),
    before                text NOT NULL CHECK (before IN ('same', 'different', 'unsure', 'none')),
    reverses              bigint,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    decided_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, sequence),
    CHECK (left_id < right_id)
);
CREATE INDEX judgement_history_of_a_pair ON runtime.judgement_history (tenant_id, left_id, right_id, sequence);

-- The log of merges and splits: the homes that moved, from which canonical entities to which, and why.
CREATE TABLE runtime.identity_changes (
    tenant_id             text NOT NULL,
    sequence              bigint NOT NULL CHECK (sequence > 0),
    change                text NOT NULL CHECK (change IN ('merge', 'split')),
    from_id               text NOT NULL,
    into_id               text NOT NULL,
    homes                 jsonb NOT NULL,
    members               jsonb NOT NULL,
    judgement_sequence    bigint NOT NULL,
    changed_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, sequence),
    CHECK (from_id <> into_id)
);

DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['judgement_history', 'identity_changes'] LOOP
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.%I
                 FOR EACH ROW EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format(
            'CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.%I
                 FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change()', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER append_only', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ALWAYS TRIGGER never_emptied', history);
        EXECUTE format('ALTER TABLE runtime.%I OWNER TO tenant_runtime_owner', history);
        EXECUTE format('ALTER TABLE runtime.%I ENABLE ROW LEVEL SECURITY', history);
        EXECUTE format('ALTER TABLE runtime.%I FORCE ROW LEVEL SECURITY', history);
        EXECUTE format(
            'CREATE POLICY own_rows ON runtime.%I TO tenant_runtime_tenants
                 USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (tenant_id = (SELECT app.my_tenant()))',
            history);
        EXECUTE format('GRANT SELECT, INSERT ON runtime.%I TO tenant_runtime_tenants', history);
    END LOOP;
END
$$;

-- How often the entities that a source speaks of have been put together or taken apart since it was linked.
ALTER TABLE runtime.tenant_sources ADD COLUMN identity_version bigint NOT NULL DEFAULT 0;
