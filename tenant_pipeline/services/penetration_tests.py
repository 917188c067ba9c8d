"""The penetration tests of the installation, on record, and whether a tenant may go to pilot or live on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.code_version import package_version
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.migrations import head_version

VICTIM, ATTACKER = UNDER_TEST = TenantId("pentest-victim"), TenantId("pentest-attacker")
"""The two tenants that the tests keep for good. Nothing that their rows tell of is there: no figure counts them."""


@dataclass(frozen=True)
class PenetrationReport:
    """What a test tried, and what came of it, by the names of the forms; `digest` is of its findings, one by one."""

    forms: int
    attempts: int
    came_through: tuple[str, ...]
    not_tried: tuple[str, ...]
    whole: bool
    """Whether it tried every form of attack that this code knows."""

    digest: Sha256
    seconds: float


def record_test(runtime: Runtime, report: PenetrationReport, *, person: str, attacked: TenantId) -> dict[str, Any]:
    """Put a test on record, and into the audit log of the tenant that it attacked; return its row.

    Raises InputError without a person.
    """
    if not person.strip():
        raise InputError("A penetration test is somebody's", where="--person")
    with runtime.database.platform() as connection:
        row = connection.execute(
            """
            INSERT INTO runtime.penetration_tests
                   (person, seconds, code_version, schema_revision, whole, forms, attempts, came_through, not_tried,
                    report_digest)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING *
            """,
            (
                person, report.seconds, package_version(), head_version(), report.whole, report.forms, report.attempts,
                list(report.came_through), list(report.not_tried), report.digest,
            ),
        ).fetchone()  # fmt: skip
        assert row is not None
        details = {name: value for name, value in row.items() if name not in ("number", "person", "at", "seconds")}
        entry = AuditEntry(actor=person, action="pentest.run", subject=f"pentest-{row['number']}", details=details)
        runtime.audit.append(connection, attacked, [entry])
    return row


def list_tests(runtime: Runtime) -> list[dict[str, Any]]:
    """Every test on record, the newest first."""
    with runtime.database.platform() as connection:
        return connection.execute("SELECT * FROM runtime.penetration_tests ORDER BY number DESC").fetchall()


def latest_whole_test(connection: Connection) -> dict[str, Any] | None:
    """The newest test of all forms; None where there is none."""
    return connection.execute(
        "SELECT * FROM runtime.penetration_tests WHERE whole ORDER BY number DESC LIMIT 1"
    ).fetchone()


def what_keeps_from_serving(connection: Connection, valid_days: int) -> list[str]:
    """Why isolation does not count as tested now, a reason each; empty where the newest whole test stands.

    It was made at the schema of this code, in the last `valid_days` by the database's own clock, tried every form, and
    nothing came through in it or in any test since.
    """
    last = latest_whole_test(connection)
    if last is None:
        return ["no penetration test is on record; `tenant-pipeline pentest` makes one"]
    row = connection.execute(
        """
        SELECT at BETWEEN clock_timestamp() - make_interval(days => %(days)s) AND clock_timestamp() AS recent,
               (SELECT max(number) FROM runtime.penetration_tests AS later
                 WHERE later.number >= test.number AND cardinality(later.came_through) > 0) AS leaked
          FROM runtime.penetration_tests AS test WHERE number = %(number)s
        """,
        {"days": valid_days, "number": last["number"]},
    ).fetchone()
    assert row is not None
    reasons = []
    if row["leaked"] is not None:
        reasons.append(f"something came through in penetration test {row['leaked']}")
    if last["not_tried"]:
        reasons.append(f"penetration test {last['number']} could not try {len(last['not_tried'])} forms of attack")
    if last["schema_revision"] != head_version():
        reasons.append(f"penetration test {last['number']} was of schema {last['schema_revision']}")
    if not row["recent"]:
        reasons.append(f"penetration test {last['number']} is not of the last {valid_days} days")
    return [f"{each}; `tenant-pipeline pentest` tests it again" for each in reasons]
