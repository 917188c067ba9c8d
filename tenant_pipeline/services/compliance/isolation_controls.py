"""Whether tenants are kept apart: by the database's catalogue, the instance's last probe, and the penetration test."""

from __future__ import annotations

from tenant_pipeline.core.compliance.control import Control, Outcome
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.penetration_tests import latest_whole_test, what_keeps_from_serving
from tenant_pipeline.services.provisioning.operations import Act, State, operations
from tenant_pipeline.storage.database import Connection

PROBE = "isolation_probe"

_RELATIONS = """
SELECT class.relname AS name, class.relkind IN ('r', 'p') AS is_table,
       class.relrowsecurity AND class.relforcerowsecurity AS forced,
       coalesce('security_invoker=true' = ANY (class.reloptions), false) AS invoker,
       pg_catalog.has_table_privilege('tenant_runtime_tenants', class.oid, 'SELECT') AS readable,
       EXISTS (SELECT FROM pg_catalog.aclexplode(class.relacl) AS granted WHERE granted.grantee = 0) AS public,
       coalesce((SELECT bool_and(coalesce(policy.qual, policy.with_check) ~ 'tenant_id = .*app\\.my_tenant\\(\\)'
                                 AND coalesce(policy.with_check, policy.qual) ~ 'tenant_id = .*app\\.my_tenant\\(\\)')
                   FROM pg_catalog.pg_policies AS policy
                  WHERE policy.schemaname = 'runtime' AND policy.tablename = class.relname
                    AND policy.permissive = 'PERMISSIVE' -- a restrictive one shows nothing that another did not
                    AND policy.roles && ARRAY['public', 'tenant_runtime_tenants']::name[]), false) AS bounded
  FROM pg_catalog.pg_class AS class
  JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id' AND NOT attribute.attisdropped
 WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind IN ('r', 'p', 'v', 'm')
 ORDER BY class.relname
"""


def row_level_security(connection: Connection) -> Control:
    """Whether every tenant-bound table forces row level security, and shows and takes only a tenant's own rows."""
    found = connection.execute(_RELATIONS).fetchall()
    tables = [each for each in found if each["is_table"]]
    faults = {
        "not_forced": [each["name"] for each in tables if not each["forced"]],
        "not_bounded": [each["name"] for each in tables if each["readable"] and not each["bounded"]],
        "views_with_rights": [each["name"] for each in found if not each["is_table"] and not each["invoker"]],
        "granted_to_everybody": [each["name"] for each in found if each["public"]],
    }
    broken = any(faults.values())
    return Control(
        "row-level-security",
        "s.37(1)",
        "Personal data is secured against access without authority.",
        "Every tenant-bound table forces row level security; every policy for tenants asks for their own rows; no view"
        " has rights of its own; nothing is granted to everybody.",
        Outcome.NOT_MET if broken else Outcome.MET,
        {"tables": len(tables), "views": len(found) - len(tables), **faults},
        "Migrate the database, and find who changed its policies or grants." if broken else "",
    )


def penetration_test(connection: Connection, valid_days: int) -> Control:
    """Whether the penetration test on record stands. As the platform: the record belongs to no tenant."""
    last = latest_whole_test(connection)
    reasons = what_keeps_from_serving(connection, valid_days)
    told = ("number", "person", "code_version", "schema_revision", "forms", "attempts", "report_digest")
    found = {} if last is None else {name: last[name] for name in told} | {"at": last["at"].isoformat()}
    return Control(
        "penetration-test",
        "s.37(1)",
        "Personal data is secured against access without authority.",
        f"A penetration test of the whole, at this schema and of the last {valid_days} days, is on record, tried every"
        " form of attack that is known, and nothing came through in it or since.",
        Outcome.NOT_MET if reasons else Outcome.MET,
        {**found, "why_not": reasons},
        "Have `tenant-pipeline pentest` run." if reasons else "",
    )


def isolation_probe(connection: Connection, tenant: TenantId) -> Control:
    """What came of the last attack on the others with the instance's own credentials."""
    provisioned = [each for each in operations(connection, tenant) if each.act is Act.PROVISION]
    probes = [
        step for each in provisioned for step in each.steps if step.step == PROBE and step.state is not State.BEGUN
    ]
    last = max(probes, key=lambda step: step.at, default=None)
    common = ("isolation-probe", "s.37(1)", "An instance reaches its own tenant's data only.")
    checked = "The last probe that attacked everybody else with the instance's own credentials."
    if last is None:
        return Control(
            *common, checked, Outcome.NOT_CHECKABLE, {"probes": 0}, "Provision the instance: it is probed then."
        )
    met = last.state is State.DONE
    return Control(
        *common,
        checked,
        Outcome.MET if met else Outcome.NOT_MET,
        {"probes": len(probes), "at": last.at.isoformat(), "state": str(last.state), "found": dict(last.detail)},
        "" if met else "Look at what came through: `tenant-pipeline instance status`.",
    )
