-- What the parser of an object breaks down over when its records are extracted is refused as it is when the object is
-- identified, and may be released.
ALTER TABLE runtime.quarantine_releases
    DROP CONSTRAINT quarantine_releases_stage_check,
    ADD CONSTRAINT quarantine_releases_stage_check CHECK (stage IN ('receive', 'identify', 'extract'));
