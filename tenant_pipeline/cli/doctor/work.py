"""Whether the work goes on: the daemon, the line, feeds, approvals, instances, the audit log."""

from __future__ import annotations

import psycopg

from tenant_pipeline.cli.doctor.finding import Finding, NotExaminedError, Patient, advice, fine, wrong
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.local_process.backend import LocalProcesses
from tenant_pipeline.services.approvals.queue import needs_nobody_can_meet
from tenant_pipeline.services.approvals.records import requests_of
from tenant_pipeline.services.audit_trail import verify_audit
from tenant_pipeline.services.observation.dagster_storage import failures, heartbeat_ages
from tenant_pipeline.services.observation.readiness import LATE_SECONDS, PARTS
from tenant_pipeline.services.penetration_tests import what_keeps_from_serving
from tenant_pipeline.services.provisioning.settling import without_their_instance
from tenant_pipeline.services.roles import roles_held
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.storage.dagster_database import dagster_conninfo

LONGEST_WAIT_SECONDS = 3600
OUR_FAULTS = ("stage-fault", "process-lost")
"""Codes of what stops a source through no fault of who handed it in."""

_ERASED = "SELECT tenant_id FROM runtime.erasure_steps"
_IN_SERVICE = f"SELECT id FROM runtime.tenants WHERE status NOT IN ('suspended', 'archived') AND id NOT IN ({_ERASED})"
"""Tenants whose sources and feeds go on. Those of the others rest until they return, and of the erased for good."""


def daemon(patient: Patient) -> Finding:
    """Dagster's daemon gives signs of life: without it nothing begins by itself."""
    if not patient.lives:
        raise NotExaminedError("nothing of this installation runs")
    conninfo = dagster_conninfo(patient.settings.dagster_dsn, patient.as_roles())
    remedy = "`tenant-pipeline up` starts it with the rest; in a cluster see its pod's log."
    try:
        ages = heartbeat_ages(conninfo)
    except psycopg.Error as error:
        return wrong(f"Dagster's storage cannot be read ({type(error).__name__})", remedy)
    silent = [part.lower() for part in PARTS if part not in ages or ages[part] > LATE_SECONDS]
    if silent:
        return wrong(f"no sign of Dagster's {' and '.join(silent)} for {LATE_SECONDS:.0f} seconds", remedy)
    return fine("Dagster's daemon lives")


def line(patient: Patient) -> Finding:
    """Nothing has been in line for long."""
    with patient.platform_connection() as connection:
        row = (
            connection.execute(
                f"""
            SELECT count(*) AS sources, coalesce(extract(epoch FROM now() - min(queued_at)), 0) AS seconds
              FROM runtime.tenant_sources
             WHERE ingest_status IN ('received', 'waiting') AND tenant_id IN ({_IN_SERVICE})
            """
            ).fetchone()
            or {}
        )
    says = f"{row['sources']} sources in line, the first for {row['seconds'] / 3600:.1f} hours"
    if row["seconds"] > LONGEST_WAIT_SECONDS:
        return wrong(says, "See that the daemon lives and its sensor `uploads` is on; or `tenant-pipeline run`.")
    return fine(says)


def penetration_test(patient: Patient) -> Finding:
    """Where tenants are served, a penetration test of the whole stands."""
    with patient.platform_connection() as connection:
        served = connection.execute("SELECT FROM runtime.tenants WHERE status IN ('pilot', 'live')").rowcount
        reasons = what_keeps_from_serving(connection, patient.settings.pentest_valid_days)
    if reasons and served:
        return advice("; ".join(reasons), "`tenant-pipeline pentest`: until then no tenant goes to pilot or live.")
    return fine("nobody is served yet" if reasons else "a penetration test stands")


def stopped_sources(patient: Patient) -> Finding:
    """No source is stopped, or set back again and again, by anything but a gate."""
    with patient.platform_connection() as connection:
        rows = connection.execute(
            f"""
            SELECT ingest_status AS status, coalesce(hindrance ->> 'code', 'unrecorded') AS code, count(*) AS sources
              FROM runtime.tenant_sources
             WHERE tenant_id IN ({_IN_SERVICE})
               AND (ingest_status = 'stopped' AND coalesce(hindrance ->> 'code', '') <> 'gate-closed'
                    OR ingest_status IN ('received', 'waiting') AND (alone OR outages > 0))
             GROUP BY 1, 2 ORDER BY 1, 2
            """
        ).fetchall()
    says = ", ".join(f"{row['sources']} {row['status']} by {row['code']}" for row in rows)
    remedy = (
        "`tenant-pipeline source list --tenant … --json` says why (`hindrance`);"
        " docs/operate/runbooks/sources-stopped.md what to do."
    )
    if any(row["status"] == "stopped" and row["code"] in OUR_FAULTS for row in rows):
        return wrong(f"sources are held up: {says}", remedy)
    if rows:
        return advice(f"sources are held up: {says}", remedy)
    return fine("no source is stopped by anything but a gate")


def failed_runs(patient: Patient) -> Finding:
    """No run has failed through a fault within the hour, and no sensor's ticks fail."""
    if not patient.lives:
        raise NotExaminedError("nothing of this installation runs")
    conninfo = dagster_conninfo(patient.settings.dagster_dsn, patient.as_roles())
    try:
        runs, ticks = failures(conninfo)
    except psycopg.Error:
        raise NotExaminedError("Dagster's storage cannot be read") from None
    failed = [f"{number} runs of {job}" for (job, by), number in sorted(runs.items()) if by == "fault"]
    failed += [f"{number} ticks of {sensor}" for sensor, number in sorted(ticks.items())]
    if failed:
        return wrong(
            f"within the hour have failed: {', '.join(failed)}",
            "The Dagster UI has the traces (Runs, Automation); docs/operate/runbooks/runs-fail.md says what to do.",
        )
    return fine("no run and no tick has failed through a fault within the hour")


def feeds(patient: Patient) -> Finding:
    """Feeds answer."""
    with patient.platform_connection() as connection:
        rows = connection.execute(
            f"""
            SELECT tenant_id, id, alerted FROM runtime.feeds
             WHERE status = 'active' AND alerted <> '' AND tenant_id IN ({_IN_SERVICE})
             ORDER BY alerted, tenant_id, id
            """
        ).fetchall()
    dead = [f"{row['id']} of {row['tenant_id']}" for row in rows if row["alerted"] == "dead"]
    if dead:
        return wrong(
            f"{len(dead)} feeds are dead: {', '.join(dead[:3])}{' …' if len(dead) > 3 else ''}",
            "`tenant-pipeline feed show FEED --tenant …` says what its server answered; pause it or change it.",
        )
    if rows:
        return advice(f"{len(rows)} feeds bring nothing new", "Ask the publisher, or change `--fresh-within-hours`.")
    return fine("no feed is dead or stale")


def approvals(patient: Patient) -> Finding:
    """Whoever asked for approval can have it: each role that is still missing is held by somebody who may give it."""
    lacking = []
    with patient.platform_connection() as connection:
        rows = connection.execute(
            f"""
            SELECT DISTINCT tenant_id FROM runtime.approval_requests
             WHERE expires_at > now() AND tenant_id NOT IN ({_ERASED}) ORDER BY tenant_id
            """
        ).fetchall()
        for tenant in (TenantId(row["tenant_id"]) for row in rows):
            held = roles_held(connection, tenant)
            for each in requests_of(connection, tenant, patient.now()):
                lacking += [(tenant, " or ".join(sorted(need))) for need in needs_nobody_can_meet(each, held)]
    if lacking:
        says = [f"{tenant} has nobody (else) for {roles}" for tenant, roles in dict.fromkeys(lacking)]
        return wrong(
            f"approvals wait that nobody can give: {', '.join(says[:5])}{' …' if len(says) > 5 else ''}",
            "`tenant-pipeline role grant` gives it to somebody else than who asked or has decided before; or who has it"
            " hands the decision on: `approval delegate`.",
        )
    return fine("approvals have somebody who may give them")


def instances(patient: Patient) -> Finding:
    """Every instance of this machine stands that is to stand."""
    if patient.settings.kubernetes_configuration is not None:
        raise NotExaminedError("instances are in a cluster")
    if not patient.lives:
        raise NotExaminedError("nothing of this installation runs")
    with patient.platform_connection() as connection:
        down = without_their_instance(connection, LocalProcesses(patient.settings.instances_directory))
    if down:
        return wrong(
            f"{len(down)} instances do not stand: {', '.join(down[:5])}{' …' if len(down) > 5 else ''}",
            "The sensor `clock` brings them back, and its log says what keeps it from that; `tenant-pipeline instance"
            " logs --tenant …` shows what one has said.",
        )
    return fine("every instance stands that is to stand")


def audit_log(patient: Patient) -> Finding:
    """Nobody has changed the audit log."""
    with patient.migrated_connection():
        pass
    if not (patient.settings.keys_directory / "master.key").exists():
        raise NotExaminedError("the master key is missing")
    with connect(patient.settings) as runtime:
        changed = [row["tenant"] for row in verify_audit(runtime, None) if not row["intact"]]
    if changed:
        return wrong(
            f"the audit log of {', '.join(changed[:5])} was changed",
            "`tenant-pipeline audit verify` names what is wrong: restore from backup, find out who did it.",
        )
    return fine("the audit log is intact")
