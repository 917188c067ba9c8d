"""What is counted: one source's entities, or the tenant's, each once however many sources speak of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.storage.database import Connection

THINGS = """
things AS (
    SELECT thing, array_agg(DISTINCT type) AS types, array_agg(DISTINCT property) AS properties
      FROM mine GROUP BY thing)
"""
"""For queries of a scope that ask for it: each thing once, with its types and the properties that are stated of it."""


@dataclass(frozen=True)
class Scope:
    """A source of a tenant, or the whole tenant where `source` is None."""

    tenant: TenantId
    source: SourceId | None = None

    def rows(self, connection: Connection, query: str, **parameters: object) -> list[dict[str, Any]]:
        """Rows of a query over `mine`: the statements in scope, with the entity that each counts for as `thing`.

        A query that asks for `mine` more than once, or for THINGS, has all of it written down first. What is new is not
        in the database's statistics yet, which then take `mine` for a row or two: a query that looks for something in
        `mine` again for each thing is quadratic.
        """
        thing = "entity_id" if self.source else "canonical_id"
        # Of a source's rows the planner is not told whose they are (decision 28).
        in_scope = (
            "tenant_id = (SELECT %(tenant)s::text) AND source_id = %(source)s"
            if self.source
            else "tenant_id = %(tenant)s"
        )
        mine = f"""
            WITH mine AS (
                SELECT {thing} AS thing, * FROM runtime.statement_facts
                 WHERE {in_scope})
        """
        named = {"tenant": self.tenant, "source": self.source, **parameters}
        return connection.execute(f"{mine} {query}", named).fetchall()
