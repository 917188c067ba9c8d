-- Who answers for the installation: a history of appointments that is only added to. Whoever is appointed holds the
-- role in every tenant that is registered from then on. It belongs to the platform; no tenant reads or writes it.

CREATE TABLE runtime.platform_appointments (
    number                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person                text NOT NULL CHECK (btrim(person) <> ''),
    role                  text NOT NULL CHECK (role IN ('platform-governance', 'founder')),
    step                  text NOT NULL CHECK (step IN ('appointed', 'dismissed')),
    decided_by            text NOT NULL CHECK (btrim(decided_by) <> ''),
    reason                text NOT NULL CHECK (btrim(reason) <> ''),
    at                    timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE runtime.platform_appointments OWNER TO tenant_runtime_owner;
ALTER TABLE runtime.platform_appointments ENABLE ROW LEVEL SECURITY;
ALTER TABLE runtime.platform_appointments FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_reads ON runtime.platform_appointments FOR SELECT TO tenant_runtime_platform USING (true);
CREATE POLICY platform_adds ON runtime.platform_appointments FOR INSERT TO tenant_runtime_platform WITH CHECK (true);
GRANT SELECT, INSERT ON runtime.platform_appointments TO tenant_runtime_platform;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON runtime.platform_appointments
    FOR EACH ROW EXECUTE FUNCTION app.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON runtime.platform_appointments
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
ALTER TABLE runtime.platform_appointments ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.platform_appointments ENABLE ALWAYS TRIGGER never_emptied;
