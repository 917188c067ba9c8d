-- A gate's verdict, and an override of it, belong to the judged stage's output. Until now they were kept by its input, which
-- declarations and an agreement do not change, so that one decision's verdict was taken for another's.
ALTER TABLE runtime.gate_verdicts RENAME COLUMN input_digest TO output_digest;
ALTER TABLE runtime.gate_overrides RENAME COLUMN input_digest TO output_digest;

-- What is kept is the verdict on the newest output of its input, and an override was of the newest one of its time. What
-- other outputs were judged is not known any more: their stage judges them anew when they are found again.
ALTER TABLE runtime.stage_runs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.gate_verdicts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.gate_overrides NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.gate_verdicts AS verdict SET output_digest = judged.output_digest
  FROM (SELECT DISTINCT ON (tenant_id, source_id, stage, input_digest)
               tenant_id, source_id, stage, input_digest, output_digest
          FROM runtime.stage_runs WHERE stage IN ('screen', 'validate')
         ORDER BY tenant_id, source_id, stage, input_digest, finished_at DESC) AS judged
 WHERE judged.tenant_id = verdict.tenant_id AND judged.source_id = verdict.source_id
   AND judged.input_digest = verdict.output_digest
   AND judged.stage = CASE verdict.gate WHEN 'pii' THEN 'screen' ELSE 'validate' END;
ALTER TABLE runtime.gate_overrides DISABLE TRIGGER append_only;
UPDATE runtime.gate_overrides AS override SET output_digest = coalesce((
       SELECT judged.output_digest FROM runtime.stage_runs AS judged
        WHERE judged.tenant_id = override.tenant_id AND judged.source_id = override.source_id
          AND judged.input_digest = override.output_digest AND judged.finished_at <= override.created_at
          AND judged.stage = CASE override.gate WHEN 'pii' THEN 'screen' ELSE 'validate' END
        ORDER BY judged.finished_at DESC LIMIT 1), output_digest);
ALTER TABLE runtime.gate_overrides ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.gate_overrides FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.gate_verdicts FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.stage_runs FORCE ROW LEVEL SECURITY;
