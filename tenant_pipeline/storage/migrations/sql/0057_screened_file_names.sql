-- What a single file is called is told once it is received, screened like every path: a file's name can hold a person's.
-- Until now it stood here as it was handed in.
GRANT UPDATE (filename) ON runtime.tenant_sources TO tenant_runtime_tenants;

ALTER TABLE runtime.tenant_sources NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.objects NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.tenant_sources AS source
   SET filename = coalesce((
           SELECT split_part(object.display_path, '!/', 1) FROM runtime.objects AS object
            WHERE object.tenant_id = source.tenant_id AND object.source_id = source.id
            ORDER BY object.object LIMIT 1), '')
 WHERE source.filename <> '';
ALTER TABLE runtime.objects FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.tenant_sources FORCE ROW LEVEL SECURITY;
