-- What no code may forget, added to: a decision rests on a role that is held, by who decides or by who handed it to
-- them; nobody speaks for the requester; and one person has one word on a request, whoever speaks it. Decisions that a
-- restore brings back were held to this when they were made: roles may have been taken again since.

CREATE FUNCTION app.guard_whose_word() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whose text := coalesce(NEW.on_behalf_of, NEW.approver);
BEGIN
    IF NOT row_security_active('runtime.approvals'::regclass) THEN
        RETURN NEW;
    END IF;
    IF whose = NEW.requested_by THEN
        RAISE EXCEPTION 'nobody decides for who asked' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM runtime.tenant_user_roles
                    WHERE tenant_id = NEW.tenant_id AND person = whose AND role = NEW.role) THEN
        RAISE EXCEPTION 'the role is not held' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.on_behalf_of IS NOT NULL AND NOT EXISTS (
           SELECT FROM runtime.approval_steps
            WHERE tenant_id = NEW.tenant_id AND request_id = NEW.request_id AND step = 'delegated'
              AND person = whose AND to_person = NEW.approver AND role = NEW.role) THEN
        RAISE EXCEPTION 'the decision was not handed on' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM runtime.approvals AS other
                WHERE other.tenant_id = NEW.tenant_id AND other.request_id = NEW.request_id
                  AND coalesce(other.on_behalf_of, other.approver) = whose
                  AND NOT EXISTS (SELECT FROM runtime.approval_steps AS revoked
                                   WHERE revoked.tenant_id = other.tenant_id AND revoked.approval_id = other.id)) THEN
        RAISE EXCEPTION 'this person has decided' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
ALTER FUNCTION app.guard_whose_word() OWNER TO tenant_runtime_owner;
REVOKE ALL ON FUNCTION app.guard_whose_word() FROM PUBLIC;
CREATE TRIGGER guarded_whose BEFORE INSERT ON runtime.approvals
    FOR EACH ROW EXECUTE FUNCTION app.guard_whose_word();
