-- Why a source does not go on, and when it is tried again. `hindrance` says what stopped it or set it back: code, what,
-- where, remedy, stage, run; never a value. It is there until the source goes on.
--
-- `outages` counts how often something around us was away since then, `losses` how often a process was ended that worked
-- on this source alone; `not_before` is until when it waits; what is `alone` is run by itself.

ALTER TABLE runtime.tenant_sources
    ADD COLUMN hindrance jsonb,
    ADD COLUMN alone boolean NOT NULL DEFAULT false,
    ADD COLUMN outages integer NOT NULL DEFAULT 0 CHECK (outages >= 0),
    ADD COLUMN losses integer NOT NULL DEFAULT 0 CHECK (losses >= 0),
    ADD COLUMN not_before timestamptz;
GRANT UPDATE (hindrance, alone, outages, losses, not_before) ON runtime.tenant_sources TO tenant_runtime_tenants;

-- Whether a run still works: when it last kept a record of a stage.
CREATE INDEX stage_runs_of_a_run ON runtime.stage_runs (run_id, finished_at);
