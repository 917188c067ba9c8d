"""The statements of a tenant's draft knowledge base, as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.rows import dict_row, tuple_row

from tenant_pipeline.core.statement import AI_MARK, AI_TIER
from tenant_pipeline.core.tables import BATCH_ROWS
from tenant_pipeline.core.tenancy import SourceId, TenantId

ROWS_AT_ONCE = 2_000
"""A value has at most a million characters, so that rows are fetched a few at a time."""

# Only the conditions that are asked for are in the query. With all of them and `IS NULL OR`, a prepared statement is
# planned for a handful of rows, whatever there is.
_OF_TENANT = """
SELECT statement_id, source_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype, locator,
       method, authority_tier, observed_at, valid_from, valid_to, first_seen, last_seen
  FROM runtime.statement_facts
 WHERE {conditions}
 ORDER BY canonical_id, property, lang, authority_tier, statement_id, source_id
 LIMIT %(limit)s
"""

_CURRENT = """
SELECT canonical_id AS entity, type, property, value, raw_value, lang, datatype, valid_from, valid_to,
       source_id AS source, origin, authority_tier, locator, method,
       to_char(observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS observed_at
  FROM runtime.statement_facts
 WHERE tenant_id = %(tenant)s
 ORDER BY canonical_id, property, lang, value, valid_from, valid_to, authority_tier, source_id, statement_id
"""

_COUNT_DISTINCT = """
SELECT count(*) AS statements
  FROM (SELECT DISTINCT canonical_id, property, lang, value, valid_from, valid_to FROM runtime.statement_facts
         WHERE tenant_id = %(tenant)s) AS said
"""

_SOURCES = """
SELECT id, origin, authority_rank,
       coalesce(to_char(observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
  FROM runtime.tenant_sources
 WHERE tenant_id = %(tenant)s
"""

# Entity by entity through the index, whatever the planner believes of the table: before its first ANALYZE it believes
# in a handful of rows, and a join that it chooses then is quadratic. Nor is it told whose rows these are (decision 28).
# What is constant for a source is joined by us.
# An entity that the source was linked to before is among them as long as an item of the matrix says so.
_CANDIDATES = """
SELECT said.*
  FROM (SELECT canonical_id FROM runtime.statements
         WHERE tenant_id = (SELECT %(tenant)s::text) AND source_id = %(source)s
         UNION
        SELECT conflict.canonical_id
          FROM runtime.conflict_sources AS member JOIN runtime.conflicts AS conflict USING (tenant_id, conflict_id)
         WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
           AND member.relation <> 'withdrawn') AS spoken_of
 CROSS JOIN LATERAL (
       SELECT canonical_id, property, lang, statement_id, source_id, entity_id, type, value, raw_value, datatype,
              locator, method, valid_from, valid_to
         FROM runtime.statements
        WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = spoken_of.canonical_id AND retired_at IS NULL
       OFFSET 0) AS said
 ORDER BY canonical_id, property, lang, source_id, statement_id
"""

_TEXT = pa.string()
_SAID = pa.schema(
    {
        **dict.fromkeys(("canonical_id", "property", "lang", "statement_id", "source_id", "entity_id", "type"), _TEXT),
        **dict.fromkeys(("value", "raw_value", "datatype", "locator", "method", "valid_from", "valid_to"), _TEXT),
    }
)
_SOURCE = pa.schema({"source_id": _TEXT, "origin": _TEXT, "authority_tier": pa.int64(), "observed_at": _TEXT})

CANDIDATE_SCHEMA = pa.schema([*_SAID, *list(_SOURCE)[1:]])
"""Columns and types of the frames that `candidates_for_source` yields. Nothing is null:
`observed_at` is ISO 8601 in UTC, or empty where nobody knows."""

GROUP_COLUMNS = 3
"""How many leading columns make a group: canonical_id, property, lang."""


def statements_of(
    connection: psycopg.Connection[Any],
    tenant: TenantId,
    *,
    source: SourceId | None = None,
    canonical_id: str | None = None,
    property_: str | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Statements with what is constant for their source, in the order of entity, property, language and authority."""
    wanted = {"tenant_id": tenant, "source_id": source, "canonical_id": canonical_id, "property": property_}
    given = {column: value for column, value in wanted.items() if value is not None}
    query = _OF_TENANT.format(conditions=" AND ".join(f"{column} = %({column})s" for column in given))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, {**given, "limit": limit}).fetchall()


def count_distinct(connection: psycopg.Connection[Any], tenant: TenantId) -> int:
    """How many different statements the tenant's sources make now: of an entity, a property, a language, a value, a
    period."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        (count,) = cursor.execute(_COUNT_DISTINCT, {"tenant": tenant}).fetchone() or (0,)
    return int(count)


def current_statements(connection: psycopg.Connection[Any], tenant: TenantId) -> Iterator[dict[str, Any]]:
    """Each statement of each of the tenant's sources as long as that source says it, streamed.

    Those that say the same of an entity follow one another, the one of most authority first. `observed_at` is ISO
    8601 in UTC, or None.
    """
    with connection.cursor(name="current_statements", row_factory=dict_row) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        yield from cursor.execute(_CURRENT, {"tenant": tenant})


def candidates_for_source(
    connection: psycopg.Connection[Any], tenant: TenantId, source: SourceId
) -> Iterator[pd.DataFrame]:
    """What all sources of the tenant say of the entities that this one speaks of, in frames of CANDIDATE_SCHEMA.

    Ordered by canonical_id, property, lang, source and statement. A group of equal canonical_id, property
    and lang is never split; frames have at most BATCH_ROWS rows where no group has more than half as many. Between
    frames the connection is free for other commands of the same transaction; what they write is not seen here.
    """
    at_once = BATCH_ROWS // 2
    parameters = {"tenant": tenant, "source": source}
    with connection.cursor(row_factory=tuple_row) as cursor:
        sources = _table(cursor.execute(_SOURCES, parameters).fetchall(), _SOURCE)
    with connection.cursor(name="candidates", row_factory=tuple_row) as cursor:
        cursor.execute(_CANDIDATES, parameters)
        held: list[tuple[Any, ...]] = []
        more = True
        while more:
            rows = cursor.fetchmany(at_once)
            more = len(rows) == at_once
            held += rows
            whole = _rows_of_whole_groups(held) if more else len(held)
            if whole:
                yield _candidate_frame(held[:whole], sources)
                held = held[whole:]


def _rows_of_whole_groups(rows: list[tuple[Any, ...]]) -> int:
    """How many leading rows are before the last group, which may go on."""
    last = rows[-1][:GROUP_COLUMNS]
    position = len(rows)
    while position and rows[position - 1][:GROUP_COLUMNS] == last:
        position -= 1
    return position


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)


def _candidate_frame(rows: list[tuple[Any, ...]], sources: pa.Table) -> pd.DataFrame:
    said = _table(rows, _SAID)
    constant = sources.take(pc.index_in(said["source_id"], sources["source_id"].combine_chunks())).drop(["source_id"])
    together = pa.table([*said.columns, *constant.columns], CANDIDATE_SCHEMA)
    tier = together["authority_tier"]
    by_ai = pc.starts_with(together["method"], AI_MARK)
    tiers = pc.if_else(by_ai, pc.max_element_wise(tier, AI_TIER), tier)
    together = together.set_column(together.schema.get_field_index("authority_tier"), "authority_tier", tiers)
    frame: pd.DataFrame = together.to_pandas(types_mapper=pd.ArrowDtype)
    return frame
