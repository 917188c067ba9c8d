-- What an uploaded file was called, which can hold a person's name, is kept no longer than its upload: it stands in the
-- encrypted raw zone, and screened beside the objects. The platform ends what nobody has gone on with, and reads no path.
ALTER TABLE runtime.uploads NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.uploads
   SET path = '-', ended_at = coalesce(ended_at, expires_at)
 WHERE ended_at IS NOT NULL OR expires_at <= now();
ALTER TABLE runtime.uploads FORCE ROW LEVEL SECURITY;

CREATE POLICY expired ON runtime.uploads FOR UPDATE TO tenant_runtime_platform
    USING (ended_at IS NULL AND expires_at <= now()) WITH CHECK (ended_at IS NOT NULL);
GRANT UPDATE (path, ended_at) ON runtime.uploads TO tenant_runtime_platform;
