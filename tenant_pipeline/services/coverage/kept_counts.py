"""Counts over a tenant's whole knowledge base are kept, and made anew only where that has changed since.

Each change of the knowledge base is noted in the tenant's audit log by the transaction that makes it, and the entries
of a tenant have their order. So a count stands as long as the log has told of nothing since it was begun but acts that
are known to leave the knowledge base as it is; an act that nobody thought of here makes it be counted again.

What is only looked at may be a little older where counting takes long: workspaces look again at each step of each run,
and would count all the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.code_version import package_version, with_parameters
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.templates.publishing import types_asked_for
from tenant_pipeline.storage.database import Connection

_LEAVE_IT = [
    "approval.%", "breach.%", "compliance.%", "cost.%", "coverage.override%", "credential.%", "feed.%", "gate.%",
    "governance.%", "instance.%", "listing.%", "mapping.%", "pentest.%", "release.%", "retention.%", "role.%",
    "session.%", "source.add", "stage.interrupted", "stage.stopped", "statements.export", "tenant.%", "token.%",
    "tokens.%",
]  # fmt: skip
"""Acts after which sources say what they said, of the same entities, with the same conflicts. As patterns of LIKE."""

LONG_SECONDS = 1.0
"""Counting that takes less is done whenever somebody looks."""
TIMES_AS_LONG = 10
"""What is only looked at is counted anew when so many times the time has passed that counting it took."""

_CHANGED_SINCE = """
EXISTS (SELECT FROM runtime.audit_log AS entry
         WHERE entry.tenant_id = kept.tenant_id AND entry.sequence > kept.as_of
           AND entry.action NOT LIKE ALL (%(leave_it)s))
"""

_FIND = f"""
SELECT answer FROM runtime.coverage_counts AS kept
 WHERE tenant_id = %(tenant)s AND subject = %(subject)s AND version = %(version)s
   AND (NOT {_CHANGED_SINCE}
        OR NOT %(exact)s AND seconds >= %(long)s
           AND counted_at BETWEEN clock_timestamp() - make_interval(secs => seconds * %(times)s) AND clock_timestamp())
"""

_KEEP = """
INSERT INTO runtime.coverage_counts (tenant_id, subject, version, as_of, answer, seconds, counted_at)
VALUES (%(tenant)s, %(subject)s, %(version)s, %(as_of)s, %(answer)s, %(seconds)s, clock_timestamp())
ON CONFLICT (tenant_id, subject) DO UPDATE
   SET version = excluded.version, as_of = excluded.as_of, answer = excluded.answer, seconds = excluded.seconds,
       counted_at = excluded.counted_at
"""


def kept_count(
    runtime: Runtime,
    connection: Connection,
    tenant: TenantId,
    subject: str,
    count: Callable[[], dict[str, Any]],
    *,
    exact: bool,
) -> dict[str, Any]:
    """What `count` says of the tenant's knowledge base (JSON): as it was kept where it still holds, else counted now.

    `subject` names what is counted. Who asks while it is being counted waits, and takes the same answer. What another
    version of this package counted, or by another template or other contracts, does not hold. Where it need not be
    `exact`, it holds for a while after a change if counting takes long; `outdated_since` tells so.
    """
    wanted = {
        "tenant": tenant,
        "subject": subject,
        "version": with_parameters(
            package_version(),
            {"types": types_asked_for(runtime, connection, tenant), "contracts": runtime.contracts.digest},
        ),
        "leave_it": _LEAVE_IT,
        "exact": exact,
        "long": LONG_SECONDS,
        "times": TIMES_AS_LONG,
    }
    kept = connection.execute(_FIND, wanted).fetchone()
    if kept is None:
        connection.execute("SELECT app.lock('coverage', %s)", (tenant,))
        kept = connection.execute(_FIND, wanted).fetchone()
    if kept is None:
        # Before it is counted: what is noted meanwhile may be in it or not.
        row = connection.execute(
            "SELECT coalesce(max(sequence), 0) AS last FROM runtime.audit_log WHERE tenant_id = %s", (tenant,)
        ).fetchone()
        started = time.perf_counter()
        kept = {"answer": count()}
        counted = {
            "as_of": row["last"] if row else 0,
            "answer": Jsonb(kept["answer"]),
            "seconds": time.perf_counter() - started,
        }
        connection.execute(_KEEP, {**wanted, **counted})
    answer: dict[str, Any] = kept["answer"]
    return answer


def outdated_since(connection: Connection, tenant: TenantId, subjects: Sequence[str]) -> datetime | None:
    """When the oldest of these was counted, of those that the knowledge base has changed since; None if of none."""
    row = connection.execute(
        f"""
        SELECT min(counted_at) AS oldest FROM runtime.coverage_counts AS kept
         WHERE tenant_id = %(tenant)s AND subject = ANY (%(subjects)s) AND {_CHANGED_SINCE}
        """,
        {"tenant": tenant, "subjects": list(subjects), "leave_it": _LEAVE_IT},
    ).fetchone()
    return row["oldest"] if row else None
