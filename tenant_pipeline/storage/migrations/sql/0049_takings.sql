-- What of a source was last taken into the knowledge base (the digest of its validated statements, and the code that links
-- and assembles them), and how often that was something else than before. A stage's record tells what was made, and not
-- that it stands there still.
ALTER TABLE runtime.tenant_sources
    ADD COLUMN taken_in text NOT NULL DEFAULT '',
    ADD COLUMN taking integer NOT NULL DEFAULT 0 CHECK (taking >= 0);
GRANT UPDATE (taken_in, taking) ON runtime.tenant_sources TO tenant_runtime_tenants;

-- Until now only a feed's next version was a taking of its own, and the last record of `link` is what was taken in last.
ALTER TABLE runtime.tenant_sources NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.stage_runs NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.tenant_sources AS source
   SET taking = source.version,
       taken_in = concat_ws(' ', linked.input_digest, split_part(linked.code_version, '-', 1),
                            split_part(assembled.code_version, '-', 1))
  FROM (SELECT DISTINCT ON (tenant_id, source_id) tenant_id, source_id, input_digest, code_version, output_digest
          FROM runtime.stage_runs WHERE stage = 'link'
         ORDER BY tenant_id, source_id, finished_at DESC) AS linked
  LEFT JOIN LATERAL (
        SELECT code_version FROM runtime.stage_runs AS run
         WHERE run.tenant_id = linked.tenant_id AND run.source_id = linked.source_id AND run.stage = 'assemble'
           AND run.input_digest = linked.output_digest
         ORDER BY finished_at DESC LIMIT 1) AS assembled ON true
 WHERE source.tenant_id = linked.tenant_id AND source.id = linked.source_id;
ALTER TABLE runtime.stage_runs FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.tenant_sources FORCE ROW LEVEL SECURITY;
