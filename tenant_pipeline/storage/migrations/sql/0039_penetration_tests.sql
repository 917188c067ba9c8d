-- Every penetration test of the installation, in order: who attacked it when, with which code and at which schema, and
-- what came of it. It is only added to, and no tenant reads or writes it. No tenant goes to pilot or live without a
-- clean one, so its time is the database's own.

CREATE TABLE runtime.penetration_tests (
    number                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    at                    timestamptz NOT NULL DEFAULT clock_timestamp(),
    seconds               double precision NOT NULL CHECK (seconds >= 0),
    code_version          text NOT NULL CHECK (code_version <> ''),
    schema_revision       text NOT NULL CHECK (schema_revision <> ''),
    whole                 boolean NOT NULL, -- every form of attack that this code knows, not one family of them
    forms                 integer NOT NULL CHECK (forms > 0),
    attempts              integer NOT NULL CHECK (attempts > 0),
    came_through          text[] NOT NULL,
    not_tried             text[] NOT NULL,
    report_digest         text NOT NULL CHECK (report_digest ~ '^[0-9a-f]{64}$')
);
ALTER TABLE runtime.penetration_tests OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.penetration_tests ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.penetration_tests FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_reads ON runtime.penetration_tests FOR SELECT TO tenant_runtime_platform USING (true);
CREATE POLICY platform_adds ON runtime.penetration_tests FOR INSERT TO tenant_runtime_platform WITH CHECK (true);
GRANT SELECT, INSERT ON runtime.penetration_tests TO tenant_runtime_platform;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.penetration_tests
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.penetration_tests
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.penetration_tests ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.penetration_tests ENABLE ALWAYS TRIGGER never_emptied;
