-- How a feed is, in words of which the platform may know every one, and which of them were last told to Dagster: its
-- check of a feed is evaluated when these two differ, and not each time the feed is asked.

ALTER TABLE runtime.feeds ADD COLUMN held boolean NOT NULL DEFAULT false; -- its newest version waits for a person

-- The owner's own rows too are under row level security; the rows of all tenants are meant here.
ALTER TABLE runtime.feeds NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.feed_versions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.feed_decisions NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.feeds AS feed SET held = true
  FROM runtime.feed_versions AS version
 WHERE version.tenant_id = feed.tenant_id AND version.feed_id = feed.id AND version.held
   AND version.number = (SELECT max(newest.number) FROM runtime.feed_versions AS newest
                          WHERE newest.tenant_id = feed.tenant_id AND newest.feed_id = feed.id)
   AND NOT EXISTS (SELECT FROM runtime.feed_decisions AS decision
                    WHERE decision.tenant_id = version.tenant_id AND decision.feed_id = version.feed_id
                      AND decision.number = version.number);
ALTER TABLE runtime.feed_decisions FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.feed_versions FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.feeds FORCE ROW LEVEL SECURITY;

-- What ails it: nothing where it is empty. One that is paused is not asked, and one that has ended needs nobody.
ALTER TABLE runtime.feeds ADD COLUMN health text NOT NULL GENERATED ALWAYS AS (
    btrim(CASE WHEN status = 'active' THEN alerted ELSE '' END
          || CASE WHEN status = 'active' AND failures > 0 THEN ' failing' ELSE '' END
          || CASE WHEN status <> 'ended' AND held THEN ' held' ELSE '' END)
) STORED;
ALTER TABLE runtime.feeds ADD COLUMN told_health text; -- NULL: it is to be told whatever it is, as of a new version
CREATE INDEX feeds_untold ON runtime.feeds (tenant_id, id) WHERE health IS DISTINCT FROM told_health;

GRANT UPDATE (held, told_health) ON runtime.feeds TO tenant_runtime_tenants;
GRANT SELECT (held, health, told_health) ON runtime.feeds TO tenant_runtime_platform;
