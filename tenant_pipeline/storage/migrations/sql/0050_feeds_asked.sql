-- When asking a feed last came to an end, well or not: who finds out later that the asking was ended from outside sees by
-- it whether that is noted already, and a run that waited in line whether its feed was asked since.
ALTER TABLE runtime.feeds ADD COLUMN asked_at timestamptz;
GRANT UPDATE (asked_at) ON runtime.feeds TO tenant_runtime_tenants;

-- Of those that failed since they answered last nobody noted when. The owner's own rows too are under row level security;
-- the rows of all tenants are meant here.
ALTER TABLE runtime.feeds NO FORCE ROW LEVEL SECURITY;
UPDATE runtime.feeds SET asked_at = checked_at WHERE checked_at IS NOT NULL;
ALTER TABLE runtime.feeds FORCE ROW LEVEL SECURITY;
