-- What a version of a feed looked like is kept with the names of its fields screened, as they can be of persons. Until now
-- they stood here, and in the reasons for which a version was held, as they came: which fields those had is found out
-- anew where it is asked for.
ALTER TABLE runtime.feed_versions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runtime.feed_versions DISABLE TRIGGER append_only;
UPDATE runtime.feed_versions AS version
   SET profile = profile - 'schemas',
       reasons = coalesce((
           SELECT jsonb_agg(CASE WHEN said LIKE 'schema-changed:%' THEN 'schema-changed: other fields' ELSE said END
                            ORDER BY place)
             FROM jsonb_array_elements_text(version.reasons) WITH ORDINALITY AS reason (said, place)), '[]')
 WHERE jsonb_typeof(profile) = 'object' AND jsonb_typeof(reasons) = 'array';
ALTER TABLE runtime.feed_versions ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE runtime.feed_versions FORCE ROW LEVEL SECURITY;
