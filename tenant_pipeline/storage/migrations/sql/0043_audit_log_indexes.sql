-- Whoever asks the audit log for what one person did, for one kind of deed, for one source or for a week reads those
-- entries and no others. The names are compared byte by byte, so that a family of them is one stretch of the index.

CREATE INDEX audit_log_by_actor ON runtime.audit_log (tenant_id, actor, sequence);
CREATE INDEX audit_log_by_action ON runtime.audit_log (tenant_id, action COLLATE "C", sequence);
CREATE INDEX audit_log_by_subject ON runtime.audit_log (tenant_id, subject COLLATE "C", sequence);
CREATE INDEX audit_log_by_time ON runtime.audit_log (tenant_id, at, sequence);
