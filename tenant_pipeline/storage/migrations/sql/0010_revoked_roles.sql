-- A role that is taken again is gone from the table; that it was held stands in the audit log.

GRANT DELETE ON runtime.tenant_user_roles TO tenant_runtime_platform;
