"""The marts as platform governance reads them: of tenants in which the person has the role, and noted with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import errors, sql

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.services.marts.erasing import SCHEMA
from tenant_pipeline.services.reading_across import note_reading
from tenant_pipeline.services.runtime import Runtime

MARTS: Mapping[str, str] = {
    "tenants": "tenant_id",
    "coverage": "tenant_id, day, dimension",
    "conflicts": "tenant_id, tier, age, resolution",
    "review_sla": "tenant_id, gate",
    "pii_findings": "tenant_id, entity_type, action, category",
    "gate_verdicts": "tenant_id, gate",
    "source_freshness": "tenant_id, origin",
    "release_history": "tenant_id, number",
    "cost": "tenant_id, month, item",
    "audit_counts": "tenant_id, day, action",
    "last_build": "tenant_id",
}
"""Every mart, and the order of its rows."""

Rows = Sequence[Mapping[str, Any]]


def read_marts(runtime: Runtime, *, person: str, reason: str) -> Mapping[str, Rows]:
    """Every mart's rows of the tenants that the person governs.

    Raises InputError without a person or a reason, NotAllowedError where the person governs none, NotFoundError before
    the marts were built for the first time.
    """
    tenants = note_reading(runtime, person=person, reason=reason, action="governance.report-read", subject="marts")
    try:
        with runtime.database.governance() as connection:
            return {
                mart: connection.execute(
                    sql.SQL("SELECT * FROM {} WHERE tenant_id = ANY(%s) ORDER BY {}").format(
                        sql.Identifier(SCHEMA, mart),
                        sql.SQL(order),
                    ),
                    (tenants,),
                ).fetchall()
                for mart, order in MARTS.items()
            }
    except errors.UndefinedTable:
        raise NotFoundError(
            "The marts have not been built yet", where=SCHEMA, remedy="Run `tenant-pipeline marts build`."
        ) from None
