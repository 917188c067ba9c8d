-- A release is of what the person looked at, and of nothing that comes to lie at the same place later. `unit_digest` is the
-- version of the source that it was given for; with a `content_digest` it holds for that content in every version, without
-- one (it was given before contents were noted) for its own version alone.

ALTER TABLE runtime.quarantine_releases
    ADD COLUMN unit_digest    text,
    ADD COLUMN content_digest text CHECK (content_digest ~ '^[0-9a-f]{64}$');

-- Which version that was, the audit log tells; where it does not, the present one is meant. The owner's own rows too are
-- under row level security; the rows of all tenants are meant here.
ALTER TABLE runtime.quarantine_releases NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.tenant_sources NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.audit_log NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.quarantine_releases DISABLE TRIGGER append_only;
UPDATE runtime.quarantine_releases AS given
   SET unit_digest = coalesce(
           (SELECT entry.details ->> 'unit_digest' FROM runtime.audit_log AS entry
             WHERE entry.tenant_id = given.tenant_id AND entry.subject = given.source_id
               AND entry.action IN ('source.add', 'source.renewed') AND entry.at <= given.released_at
             ORDER BY entry.sequence DESC LIMIT 1),
           source.unit_digest)
  FROM runtime.tenant_sources AS source
 WHERE source.tenant_id = given.tenant_id AND source.id = given.source_id;
ALTER TABLE runtime.quarantine_releases ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.audit_log FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.tenant_sources FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.quarantine_releases FORCE ROW LEVEL SECURITY;

ALTER TABLE runtime.quarantine_releases
    ALTER COLUMN unit_digest SET NOT NULL,
    DROP CONSTRAINT quarantine_releases_pkey,
    ADD PRIMARY KEY (tenant_id, source_id, stage, locator, code, unit_digest);
