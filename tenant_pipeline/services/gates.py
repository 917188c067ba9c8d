"""Gate verdicts as durable rows, and the overrides that a person answers for.

A verdict belongs to one output of one source, the judged stage's, and so to the decisions under which it was made.
Whatever run materialises a downstream stage, it asks here first; Dagster's asset checks only report what stands here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import GateClosedError, InputError, NotFoundError
from tenant_pipeline.core.gate import Band, Gate, GateVerdict
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import put_in_line
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection, later_clock

OVERRIDE_ROLES = PLATFORM_ROLES

_VERDICTS = "SELECT * FROM runtime.gate_verdicts WHERE tenant_id = %(tenant)s"
_NEWEST_VERDICTS = """
SELECT DISTINCT ON (source_id, gate) * FROM runtime.gate_verdicts
 WHERE tenant_id = %(tenant)s AND source_id = ANY(%(sources)s) ORDER BY source_id, gate, decided_at DESC
"""


@dataclass(frozen=True)
class GateState:
    """A gate as it stands: its verdict on one output, and the override in force, if there is one."""

    gate: Gate
    source: SourceId
    output_digest: Sha256
    band: Band
    reasons: tuple[str, ...]
    findings: tuple[Mapping[str, Any], ...]
    decided_at: datetime
    overridden_by: str | None
    overridden_until: datetime | None

    @property
    def open(self) -> bool:
        """Whether the source may go on now: the verdict allows it, or somebody answers for it."""
        return self.band is not Band.FAIL or self.overridden_by is not None

    def as_json(self, tell: Tell = in_english) -> dict[str, Any]:
        """The state as the command line and the API give it, its reasons as `tell` says them."""
        return {
            "gate": str(self.gate),
            "source": self.source,
            "output_digest": self.output_digest,
            "band": str(self.band),
            "open": self.open,
            "reasons": [tell(reason) for reason in self.reasons],
            "findings": [dict(finding) for finding in self.findings],
            "decided_at": self.decided_at.isoformat(),
            "overridden_by": self.overridden_by,
            "overridden_until": self.overridden_until.isoformat() if self.overridden_until else None,
        }


def record_verdict(
    connection: Connection, tenant: TenantId, source: SourceId, output_digest: Sha256, verdict: GateVerdict
) -> None:
    """Keep `verdict`, as the newest of its gate; a second one on the same output replaces the first only when it says
    something else."""
    connection.execute(
        """
        INSERT INTO runtime.gate_verdicts (tenant_id, source_id, gate, output_digest, band, reasons, findings)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, source_id, gate, output_digest) DO UPDATE
           SET band = excluded.band, reasons = excluded.reasons, findings = excluded.findings, decided_at = now()
         WHERE (gate_verdicts.band, gate_verdicts.reasons, gate_verdicts.findings)
               IS DISTINCT FROM (excluded.band, excluded.reasons, excluded.findings)
        """,
        (
            tenant,
            source,
            str(verdict.gate),
            output_digest,
            str(verdict.band),
            Jsonb(list(verdict.reasons)),
            Jsonb([dict(finding) for finding in verdict.findings]),
        ),
    )
    renew_verdict(connection, tenant, source, verdict.gate, output_digest)


def renew_verdict(
    connection: Connection, tenant: TenantId, source: SourceId, gate: Gate, output_digest: Sha256
) -> bool:
    """Make the verdict on an output that is the source's again the newest of its gate; say whether there is one."""
    others = connection.execute(
        """
        SELECT max(decided_at) FILTER (WHERE output_digest <> %(output)s) AS newest,
               max(decided_at) FILTER (WHERE output_digest = %(output)s) AS own
          FROM runtime.gate_verdicts WHERE tenant_id = %(tenant)s AND source_id = %(source)s AND gate = %(gate)s
        """,
        {"tenant": tenant, "source": source, "gate": str(gate), "output": output_digest},
    ).fetchone()
    if others is None or others["own"] is None:
        return False
    if others["newest"] is not None and others["newest"] >= others["own"]:
        connection.execute(
            """
            UPDATE runtime.gate_verdicts
               SET decided_at = greatest(clock_timestamp(), %s::timestamptz + interval '1 microsecond')
             WHERE tenant_id = %s AND source_id = %s AND gate = %s AND output_digest = %s
            """,
            (others["newest"], tenant, source, str(gate), output_digest),
        )
    return True


def states(connection: Connection, tenant: TenantId, now: datetime, source: SourceId | None = None) -> list[GateState]:
    """Every gate verdict of a tenant (or one source), newest first, with the override in force.

    It is over as soon as either our clock, which says `now`, or the database's is past it.
    """
    which = _VERDICTS if source is None else f"{_VERDICTS} AND source_id = %(source)s"
    return _states(connection, which, {"tenant": tenant, "source": source, "now": now})


def newest_states(connection: Connection, tenant: TenantId, sources: Sequence[str], now: datetime) -> list[GateState]:
    """The newest verdict of each gate of these sources that was judged, with the override in force."""
    return _states(connection, _NEWEST_VERDICTS, {"tenant": tenant, "sources": list(sources), "now": now})


def state(
    connection: Connection, tenant: TenantId, source: SourceId, gate: Gate, output_digest: Sha256, now: datetime
) -> GateState | None:
    """The state of one gate over one output, or None when it has not been judged."""
    which = f"{_VERDICTS} AND source_id = %(source)s AND gate = %(gate)s AND output_digest = %(output)s"
    named = {"tenant": tenant, "source": source, "gate": str(gate), "output": output_digest, "now": now}
    return next(iter(_states(connection, which, named)), None)


def _states(connection: Connection, which: str, named: Mapping[str, Any]) -> list[GateState]:
    """The verdicts that the query `which` gives, newest first, each with the override in force at `now`."""
    rows = connection.execute(
        f"""
        SELECT verdict.gate, verdict.source_id AS source, verdict.output_digest, verdict.band, verdict.reasons,
               verdict.findings, verdict.decided_at, override.person AS overridden_by,
               override.expires_at AS overridden_until
          FROM ({which}) AS verdict
          LEFT JOIN LATERAL (
                SELECT person, expires_at
                  FROM runtime.gate_overrides
                 WHERE tenant_id = verdict.tenant_id AND source_id = verdict.source_id
                   AND gate = verdict.gate AND output_digest = verdict.output_digest
                   AND expires_at > greatest(%(now)s, clock_timestamp())
                 ORDER BY expires_at DESC
                 LIMIT 1
               ) AS override ON true
         ORDER BY verdict.decided_at DESC, verdict.source_id, verdict.gate
        """,
        named,
    ).fetchall()
    return [
        GateState(
            **{
                **row,
                "gate": Gate(row["gate"]),
                "band": Band(row["band"]),
                "reasons": tuple(row["reasons"]),
                "findings": tuple(row["findings"]),
            }
        )
        for row in rows
    ]


def require_open(
    connection: Connection, tenant: TenantId, source: SourceId, gate: Gate, output_digest: Sha256, now: datetime
) -> None:
    """Return when the gate is open for this output. Raises GateClosedError when it is closed or was never judged."""
    current = state(connection, tenant, source, gate, output_digest, now)
    if current is None or not current.open:
        reasons = "it has not been judged" if current is None else "; ".join(current.reasons)
        raise GateClosedError(
            f"The {gate} gate is closed: {reasons}",
            where=partition_key(tenant, source),
            remedy="Mend the source and add it again; record the data-handling agreement where that is missing:"
            " `tenant-pipeline tenant update --pdpa-agreement`; or have governance override the gate with a reason and"
            " an expiry: `tenant-pipeline gate override`.",
        )


def override(
    runtime: Runtime,
    tenant: TenantId,
    source: SourceId,
    gate: Gate,
    *,
    person: str,
    role: str,
    reason: str,
    expires_at: datetime,
) -> GateState:
    """Let a source pass a closed gate, on a named person's word, for a reason, until a time. Audited.

    Holds only for the output that the verdict was given on. Raises NotAllowedError for a person without the role,
    InputError for an empty reason or an expiry that has passed, and NotFoundError when the gate is not closed for this
    source.
    """
    require_person_and_reason(person, reason, "An override needs a person and a reason")
    with runtime.database.platform() as connection:
        now = later_clock(connection, runtime.now())
        if expires_at.tzinfo is None or expires_at <= now:
            raise InputError(
                "The override would have expired already", where="--until", remedy="Give a time to come, with its zone."
            )
        require_role(connection, tenant, person, role, OVERRIDE_ROLES)
        closed = next((each for each in states(connection, tenant, now, source) if each.gate is gate), None)
        if closed is None or closed.band is not Band.FAIL:
            raise NotFoundError(
                f"There is no closed {gate} gate to override",
                where=partition_key(tenant, source),
                remedy="`tenant-pipeline gate list` shows the gates.",
            )
        connection.execute(
            """
            INSERT INTO runtime.gate_overrides
                   (tenant_id, id, source_id, gate, output_digest, person, role, reason, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (tenant, uuid.uuid4(), source, str(gate), closed.output_digest, person, role, reason, expires_at),
        )
        # What a run has in hand goes on by itself: each of its stages asks the gate, and finds the override.
        put_in_line(connection, tenant, [source], among=["stopped"])
        runtime.audit.append(
            connection,
            tenant,
            [
                AuditEntry(
                    actor=person,
                    action="gate.override",
                    subject=f"{source}:{gate}",
                    details={
                        "role": role,
                        "reason": reason,
                        "output_digest": closed.output_digest,
                        "expires_at": expires_at.isoformat(),
                    },
                )
            ],
        )
        opened = state(connection, tenant, source, gate, closed.output_digest, now)
    if opened is None:
        raise NotFoundError("The gate's verdict is gone", where=partition_key(tenant, source))
    return opened
