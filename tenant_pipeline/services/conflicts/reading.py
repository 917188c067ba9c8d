"""What the matrix holds: items by filter and page, a cell for each source, and all that is known of one item."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

STATUSES = ("open", "explained", "signed", "stale")
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Filter:
    """Which items are asked for; None asks for all. Stale items are shown only where they are asked for."""

    source: SourceId | None = None
    type: str | None = None
    property: str | None = None
    verdict: str | None = None
    status: str | None = None
    needs_person: bool | None = None

    def __post_init__(self) -> None:
        for name, given, known in (
            ("--verdict", self.verdict, tuple(map(str, Verdict))),
            ("--status", self.status, STATUSES),
        ):
            if given is not None and given not in known:
                raise InputError("There is no such value", where=name, remedy=f"One of {', '.join(known)}.")

    def condition(self) -> str:
        """The filter in SQL, over `conflict`, with the names of `parameters`.

        Only what is asked for is in it. With the rest and `IS NULL OR`, a prepared statement is planned for a handful
        of rows, whatever there is.
        """
        given = (_CONDITIONS[name] for name, value in self.parameters().items() if value is not None)
        shown = () if self.status else ("conflict.status <> 'stale'",)
        return " AND ".join(("conflict.tenant_id = %(tenant)s", *shown, *given))

    def parameters(self) -> dict[str, Any]:
        """The filter as a statement's parameters."""
        return {
            "source": self.source,
            "type": self.type,
            "property": self.property,
            "verdict": self.verdict,
            "status": self.status,
            "needs_person": self.needs_person,
        }


_CONDITIONS = {
    "source": """EXISTS (
           SELECT FROM runtime.conflict_sources AS member
            WHERE member.tenant_id = conflict.tenant_id AND member.conflict_id = conflict.conflict_id
              AND member.source_id = %(source)s AND member.relation <> 'withdrawn')""",
    "type": "conflict.type = %(type)s",
    "property": "conflict.property = %(property)s",
    "verdict": "conflict.verdict = %(verdict)s",
    "status": "conflict.status = %(status)s",
    "needs_person": "conflict.needs_person = %(needs_person)s",
}

ALL = Filter()

_ITEM = """
       conflict.conflict_id, conflict.canonical_id, conflict.type, conflict.property, conflict.lang,
       conflict.verdict, conflict.rule, conflict.candidates, conflict.candidates_digest,
       conflict.proposed_value, conflict.proposed_rule, conflict.explanation, conflict.needs_person,
       conflict.status, conflict.reopened,
       coalesce(
           (SELECT name.value FROM runtime.statements AS name
             WHERE name.tenant_id = conflict.tenant_id AND name.canonical_id = conflict.canonical_id
               AND name.property = 'name'
             ORDER BY name.retired_at IS NOT NULL, name.lang <> 'en', name.lang, name.value
             LIMIT 1),
           conflict.canonical_id) AS label
"""

_PAGE = f"""
SELECT {_ITEM}
  FROM runtime.conflicts AS conflict
 WHERE {{condition}}
 ORDER BY conflict.verdict <> 'differs', NOT conflict.needs_person, conflict.property, conflict.canonical_id,
          conflict.lang
 LIMIT %(limit)s
"""

_AFTER = """
       (conflict.verdict <> 'differs', NOT conflict.needs_person, conflict.property, conflict.canonical_id,
        conflict.lang)
       > ((%(after)s::jsonb ->> 0)::boolean, (%(after)s::jsonb ->> 1)::boolean, %(after)s::jsonb ->> 2,
          %(after)s::jsonb ->> 3, %(after)s::jsonb ->> 4)
"""

_COUNTS = """
SELECT member.source_id, conflict.property, conflict.verdict, member.relation, conflict.status, count(*) AS items
  FROM runtime.conflicts AS conflict
  JOIN runtime.conflict_sources AS member USING (tenant_id, conflict_id)
 WHERE {condition} AND member.relation <> 'withdrawn'
 GROUP BY member.source_id, conflict.property, conflict.verdict, member.relation, conflict.status
 ORDER BY member.source_id, conflict.property, conflict.verdict, member.relation, conflict.status
"""


_TOTALS = """
SELECT count(*) AS items,
       count(*) FILTER (WHERE conflict.verdict = 'differs' AND conflict.status = 'open') AS open,
       count(*) FILTER (WHERE conflict.verdict = 'differs' AND conflict.status = 'open' AND conflict.needs_person)
           AS for_person,
       count(*) FILTER (WHERE conflict.status = 'signed') AS signed,
       count(*) FILTER (WHERE conflict.status = 'explained') AS explained
  FROM runtime.conflicts AS conflict
 WHERE {condition}
"""


@dataclass(frozen=True)
class Page:
    """Items, and where to go on: `next` is None on the last page."""

    items: list[dict[str, Any]]
    next: str | None


def page_of_matrix(
    runtime: Runtime, tenant: TenantId, wanted: Filter = ALL, *, limit: int, after: str | None = None
) -> Page:
    """Rows of the matrix (an entity's property in one language), each with its `cells` by source.

    Those that differ come first, and of these those for a person. `after` is the `next` of the page before. A cell
    holds how the source stands to the proposal (`relation`) and what it says: value, raw value, tier, locator and
    when it was observed; the gravest of its candidates where it has several, the others under `more`. Raises
    InputError for an `after` that no page has given.
    """
    parameters = {**wanted.parameters(), "tenant": tenant, "limit": min(limit, MOST_ROWS) + 1}
    condition = wanted.condition()
    if after is not None:
        parameters["after"] = _position(after)
        condition += f" AND {_AFTER}"
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(_PAGE.format(condition=condition), parameters).fetchall()
    items, last = rows[:limit], None
    if len(rows) > limit:
        row = items[-1]
        last = _token([row["verdict"] != "differs", not row["needs_person"], row["property"], row["canonical_id"],
                       row["lang"]])  # fmt: skip
    return Page([{**row, "cells": cells_of(row["candidates"])} for row in items], last)


def with_values(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items, each with the distinct `values` of its candidates."""
    return [{**item, "values": sorted({one["value"] for one in item["candidates"]})} for item in items]


_GRAVITY = {"agrees": 0, "refines": 1, "incomparable": 2, "differs": 3}


def cells_of(candidates: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The candidates by source: one cell each."""
    cells: dict[str, dict[str, Any]] = {}
    for one in sorted(candidates, key=lambda each: -_GRAVITY[each["relation"]]):
        cell = {name: value for name, value in one.items() if name != "source_id"}
        if one["source_id"] in cells:
            cells[one["source_id"]]["more"].append(cell)
        else:
            cells[one["source_id"]] = {**cell, "more": []}
    return cells


def list_conflicts(
    runtime: Runtime,
    tenant: TenantId,
    *,
    source: SourceId | None,
    property_: str | None,
    verdict: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Items with their candidates and distinct `values`, those for a person first; `label` names the entity."""
    wanted = Filter(source=source, property=property_, verdict=verdict)
    page = page_of_matrix(runtime, tenant, wanted, limit=limit)
    return with_values(page.items)


def counts_of_matrix(runtime: Runtime, tenant: TenantId, wanted: Filter = ALL) -> list[dict[str, Any]]:
    """How many items by source, property, verdict, relation of the source to the proposal, and status."""
    with runtime.database.tenant(tenant) as connection:
        query = _COUNTS.format(condition=wanted.condition())
        return connection.execute(query, {**wanted.parameters(), "tenant": tenant}).fetchall()


def totals_of_matrix(runtime: Runtime, tenant: TenantId, wanted: Filter = ALL) -> dict[str, int]:
    """How many items there are; how many differ and are open, and of these how many are for a person; how many are
    signed; and how many a rule explains."""
    with runtime.database.tenant(tenant) as connection:
        query = _TOTALS.format(condition=wanted.condition())
        row = connection.execute(query, {**wanted.parameters(), "tenant": tenant}).fetchone()
    assert row is not None
    return row


def conflicts_of_source(runtime: Runtime, tenant: TenantId, source: SourceId) -> list[dict[str, Any]]:
    """How many items this source takes part in, by property, language, verdict and rule."""
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            """
            SELECT conflict.property, conflict.lang, conflict.verdict, conflict.rule, count(*) AS items
              FROM runtime.conflict_sources AS member
              JOIN runtime.conflicts AS conflict USING (tenant_id, conflict_id)
             WHERE member.tenant_id = %s AND member.source_id = %s AND member.relation <> 'withdrawn'
               AND conflict.status <> 'stale'
             GROUP BY conflict.property, conflict.lang, conflict.verdict, conflict.rule
             ORDER BY items DESC, conflict.property, conflict.lang, conflict.rule
            """,
            (tenant, source),
        ).fetchall()


def item(connection: Connection, tenant: TenantId, conflict_id: str, *, lock: bool = False) -> dict[str, Any]:
    """One item, locked against others' decisions if asked. Raises NotFoundError when the tenant has none of that id."""
    if lock:
        connection.execute(
            "SELECT FROM runtime.conflicts WHERE tenant_id = %s AND conflict_id = %s FOR UPDATE", (tenant, conflict_id)
        )
    row = connection.execute(
        f"""
        SELECT {_ITEM}, conflict.signature_number
          FROM runtime.conflicts AS conflict WHERE conflict.tenant_id = %s AND conflict.conflict_id = %s
        """,
        (tenant, conflict_id),
    ).fetchone()
    if row is None:
        raise NotFoundError(
            "There is no such conflict", where=tenant, remedy="`tenant-pipeline conflict list` shows them."
        )
    return row


def _token(position: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, ensure_ascii=False).encode()).decode()


def _position(after: str) -> str:
    try:
        position = json.loads(base64.urlsafe_b64decode(after.encode()))
    except (binascii.Error, ValueError):
        position = None
    match position:
        case [bool(), bool(), str(), str(), str()]:
            return json.dumps(position)
    raise InputError("That is no place in the matrix", where="--after", remedy="Give the `next` of the page before.")
