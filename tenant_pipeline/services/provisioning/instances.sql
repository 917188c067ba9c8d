-- Every tenant of which an instance may stand, by what was done to it last: whether it is to be served, whether it was to
-- be brought up, where, and by which backend. Not a tenant whose instance was taken down, or taken back with nothing left,
-- and not the two of the penetration test, whose rows tell of no instance. Asked as the platform.

SELECT tenant.id, tenant.status = ANY(%(serving)s) AND NOT steps.broke_isolation AS served,
       last.act = 'provision' AS wanted, last.namespace, last.backend
  FROM (SELECT DISTINCT ON (tenant_id) tenant_id, id, act, namespace, backend
          FROM runtime.provisioning_operations
         WHERE tenant_id <> ALL(%(under_test)s)
         ORDER BY tenant_id, number DESC) AS last
  JOIN runtime.tenants AS tenant ON tenant.id = last.tenant_id
 CROSS JOIN LATERAL (
       SELECT coalesce(bool_or(step = 'done' AND state = 'done'), false) AS done,
              coalesce(bool_or(step = 'compensated' AND state = 'done'), false) AS compensated,
              coalesce(bool_or(state = 'undone' AND detail @> '{"kept": true}'), false) AS kept,
              coalesce(bool_or(state = 'failed' AND detail @> '{"isolation_broken": true}'), false) AS broke_isolation
         FROM runtime.provisioning_steps
        WHERE tenant_id = last.tenant_id AND operation_id = last.id) AS steps
 WHERE NOT (last.act = 'deprovision' AND steps.done OR steps.compensated AND NOT steps.kept);
