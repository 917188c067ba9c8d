"""The statements of a tenant's draft knowledge base: taken in from a source in one transaction, and read back.

A statement is never overwritten. What a source goes on saying is not touched; what it no longer says is retired: its
row stays, and it is in force again once it is said again. Only where an entity was linked anew does its `canonical_id`
follow, and where it turns out to be an AI's word or none, how and where it was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.rows import dict_row, tuple_row

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.statement import AI_MARK, AI_TIER, STATEMENT_COLUMNS
from tenant_pipeline.core.tables import BATCH_ROWS, StageReader
from tenant_pipeline.core.tenancy import SourceId, TenantId

ID_DIGITS = 24
ROWS_AT_ONCE = 2_000
"""A value has at most a million characters, so that rows are fetched a few at a time."""

_STAGE = """
CREATE TEMPORARY TABLE said (
    position bigint, statement_id text NOT NULL, entity_id text NOT NULL, type text NOT NULL, property text NOT NULL,
    value text NOT NULL, raw_value text NOT NULL, lang text NOT NULL, datatype text NOT NULL, locator text NOT NULL,
    method text NOT NULL, valid_from text NOT NULL, valid_to text NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE linked (entity_id text NOT NULL, canonical_id text NOT NULL) ON COMMIT DROP
"""

_INDEX_LINKS = "CREATE UNIQUE INDEX ON pg_temp.linked (entity_id)"

# What was merged or split since the source was linked.
_FOLLOW_IDENTITY = """
UPDATE pg_temp.linked SET canonical_id = member.canonical_id
  FROM runtime.entity_members AS member
 WHERE member.tenant_id = %(tenant)s AND member.source_id = %(source)s AND member.entity_id = linked.entity_id
   AND member.canonical_id <> linked.canonical_id
"""

# Memory of the database for each sort and join; by itself it takes 4 MiB, and then writes what it sorts to disk.
_ALLOW_MEMORY = "SET LOCAL work_mem = '64MB'"

# Of those that say the same the first is kept; an AI's word only where nobody else says it.
_DROP_REPETITIONS = """
DELETE FROM pg_temp.said AS again
 USING (SELECT statement_id, (array_agg(position ORDER BY starts_with(method, %(ai)s), position))[1] AS first
          FROM pg_temp.said GROUP BY statement_id HAVING count(*) > 1) AS repeated
 WHERE again.statement_id = repeated.statement_id AND again.position <> repeated.first
"""

_COUNT_UNLINKED = """
SELECT count(*) FROM pg_temp.said
 WHERE NOT EXISTS (SELECT FROM pg_temp.linked WHERE linked.entity_id = said.entity_id)
"""

_IS_KNOWN = """
SELECT EXISTS (SELECT FROM runtime.statements WHERE tenant_id = %(tenant)s AND source_id = %(source)s)
"""

# For the search of what is said no more. Without it the planner may hold everything against everything, as long as it
# believes that the source has said little before.
_INDEX_SAID = "CREATE UNIQUE INDEX ON pg_temp.said (statement_id)"

# It was last seen when the source was assembled before.
_RETIRE = """
UPDATE runtime.statements AS known
   SET retired_at = %(seen_at)s,
       last_seen = greatest(known.last_seen, (SELECT assembled_at FROM runtime.tenant_sources
                                               WHERE tenant_id = %(tenant)s AND id = %(source)s))
 WHERE known.tenant_id = %(tenant)s AND known.source_id = %(source)s AND known.retired_at IS NULL
   AND NOT EXISTS (SELECT FROM pg_temp.said WHERE said.statement_id = known.statement_id)
"""

_SEE_AGAIN = """
UPDATE runtime.statements AS known
   SET canonical_id = linked.canonical_id, retired_at = NULL,
       last_seen = CASE WHEN known.retired_at IS NULL THEN known.last_seen
                        ELSE greatest(known.last_seen, %(seen_at)s) END,
       absent = CASE WHEN known.retired_at IS NULL THEN known.absent
                     ELSE known.absent
                          + tstzmultirange(tstzrange(known.retired_at, greatest(known.retired_at, %(seen_at)s))) END
  FROM pg_temp.said JOIN pg_temp.linked USING (entity_id)
 WHERE known.tenant_id = %(tenant)s AND known.source_id = %(source)s AND known.statement_id = said.statement_id
   AND (known.retired_at IS NOT NULL OR known.canonical_id <> linked.canonical_id)
"""

_READ_OTHERWISE = """
UPDATE runtime.statements AS known
   SET method = said.method, locator = said.locator
  FROM pg_temp.said
 WHERE known.tenant_id = %(tenant)s AND known.source_id = %(source)s AND known.statement_id = said.statement_id
   AND starts_with(known.method, %(ai)s) <> starts_with(said.method, %(ai)s)
"""

# The anti-join, because ON CONFLICT locks each row that is there already, and locking writes; it also looks twice for
# each new row. Entity by entity, so that what is read together lies together, and an index takes in its entries one
# beside the other.
_INSERT = """
INSERT INTO runtime.statements
       (tenant_id, source_id, statement_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype,
        locator, method, valid_from, valid_to, first_seen, last_seen)
SELECT DISTINCT ON (canonical_id, statement_id)
       %(tenant)s, %(source)s, statement_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype,
       locator, method, valid_from, valid_to, %(seen_at)s::timestamptz, %(seen_at)s::timestamptz
  FROM pg_temp.said JOIN pg_temp.linked USING (entity_id)
 WHERE NOT EXISTS (SELECT FROM runtime.statements AS known
                    WHERE known.tenant_id = %(tenant)s AND known.source_id = %(source)s
                      AND known.statement_id = said.statement_id)
 ORDER BY canonical_id, statement_id, starts_with(method, %(ai)s), position
"""

# Only the conditions that are asked for are in the query. With all of them and `IS NULL OR`, a prepared statement is
# planned for a handful of rows, whatever there is.
_OF_TENANT = """
SELECT statement_id, source_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype, locator,
       method, authority_tier, observed_at, valid_from, valid_to, first_seen, last_seen
  FROM runtime.statement_facts
 WHERE {conditions}
 ORDER BY canonical_id, property, lang, authority_tier, statement_id, source_id
 LIMIT %(limit)s OFFSET %(offset)s
"""

_CURRENT = """
SELECT canonical_id AS entity, type, property, value, raw_value, lang, datatype, valid_from, valid_to,
       source_id AS source, origin, authority_tier, locator, method,
       to_char(observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS observed_at
  FROM runtime.statement_facts
 WHERE tenant_id = %(tenant)s
 ORDER BY canonical_id, property, lang, value, authority_tier, source_id, statement_id
"""

_COUNT_DISTINCT = """
SELECT count(*) AS statements
  FROM (SELECT DISTINCT canonical_id, property, lang, value FROM runtime.statement_facts
         WHERE tenant_id = %(tenant)s) AS said
"""

_SOURCES = """
SELECT id, origin, authority_rank,
       coalesce(to_char(observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
  FROM runtime.tenant_sources
 WHERE tenant_id = %(tenant)s
"""

# Entity by entity through the index, whatever the planner believes of the table: before its first ANALYZE it believes
# in a handful of rows, and a join that it chooses then is quadratic. What is constant for a source is joined by us.
# An entity that the source was linked to before is among them as long as an item of the matrix says so.
_CANDIDATES = """
SELECT said.*
  FROM (SELECT canonical_id FROM runtime.statements
         WHERE tenant_id = %(tenant)s AND source_id = %(source)s
         UNION
        SELECT conflict.canonical_id
          FROM runtime.conflict_sources AS member JOIN runtime.conflicts AS conflict USING (tenant_id, conflict_id)
         WHERE member.tenant_id = %(tenant)s AND member.source_id = %(source)s
           AND member.relation <> 'withdrawn') AS spoken_of
 CROSS JOIN LATERAL (
       SELECT canonical_id, property, lang, statement_id, source_id, entity_id, type, value, raw_value, datatype,
              locator, method, valid_from, valid_to
         FROM runtime.statements
        WHERE tenant_id = %(tenant)s AND canonical_id = spoken_of.canonical_id AND retired_at IS NULL
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


@dataclass(frozen=True)
class AssembleCount:
    """What became of the statements of a source, each counted once: inserted + already_present + duplicates came in.

    `duplicates` said the same of the same entity as another row; the first one's locator is kept. `retired` are
    rows of the source that it had said until now: they stay, and are none of those that came in.
    """

    inserted: int
    already_present: int
    duplicates: int
    retired: int


def statement_ids(frame: pd.DataFrame) -> list[str]:
    """The ids of statements: 24 hex digits of the SHA-256 over entity, property, value and language.

    Each part is framed by its length, so that no two statements run into one; `core.digest.short_id` gives the same.
    """
    framed: dict[str, bytes] = {}

    def frame_of(part: str) -> bytes:
        encoded = part.encode()
        return len(encoded).to_bytes(8, "big") + encoded

    columns = [pa.array(frame[name]).to_pylist() for name in ("entity_id", "property", "value", "lang")]
    for column in (columns[0], columns[1], columns[3]):
        framed.update((part, frame_of(part)) for part in set(column))
    return [
        "st-" + hashlib.sha256(framed[entity] + framed[name] + frame_of(value) + framed[lang]).hexdigest()[:ID_DIGITS]
        for entity, name, value, lang in zip(*columns, strict=True)
    ]


def assemble(
    connection: psycopg.Connection[Any],
    tenant: TenantId,
    source: SourceId,
    links: StageReader,
    statements: StageReader,
    seen_at: datetime,
) -> AssembleCount:
    """Take the statements of a source into the tenant's knowledge base, in the transaction that `connection` is in.

    `connection` is the tenant's own login. It writes what is new, what is retired, what is in force again and what is
    linked or read otherwise: run again with the same input, it touches no row. Raises
    IntegrityError when a statement is about an entity without a link, an entity has two, or a text holds what no
    database text can (NUL); the transaction is then to be rolled back.
    """
    parameters = {"tenant": tenant, "source": source, "seen_at": seen_at, "ai": AI_MARK}
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(_STAGE)
        cursor.execute(_ALLOW_MEMORY)
        _copy(cursor, "COPY pg_temp.linked FROM STDIN", _link_rows(links))
        _copy(cursor, "COPY pg_temp.said FROM STDIN", _statement_rows(statements))
        said = cursor.rowcount
        try:
            cursor.execute(_INDEX_LINKS)
        except psycopg.errors.UniqueViolation:
            raise IntegrityError("An entity of the source is linked twice", where=f"{source} links") from None
        # Nothing analyses temporary tables by itself, and without numbers the planner takes them for tiny.
        cursor.execute("ANALYZE pg_temp.said, pg_temp.linked")
        cursor.execute(_FOLLOW_IDENTITY, parameters)
        (unlinked,) = cursor.execute(_COUNT_UNLINKED).fetchone() or (0,)
        if unlinked:
            raise IntegrityError(
                f"{unlinked} statements are about entities that were not linked",
                where=f"{source} links",
                remedy="This is a fault of the stage, not of the source: report it with the stage's record.",
            )
        repeated = retired = 0
        (known,) = cursor.execute(_IS_KNOWN, parameters).fetchone() or (False,)
        if known:
            repeated = cursor.execute(_DROP_REPETITIONS, parameters).rowcount
            cursor.execute(_INDEX_SAID)
            retired = cursor.execute(_RETIRE, parameters).rowcount
            cursor.execute(_SEE_AGAIN, parameters)
            cursor.execute(_READ_OTHERWISE, parameters)
        inserted = cursor.execute(_INSERT, parameters).rowcount
        duplicates = repeated if known else said - inserted
        cursor.execute("DROP TABLE pg_temp.said, pg_temp.linked")
    return AssembleCount(
        inserted=inserted, already_present=said - duplicates - inserted, duplicates=duplicates, retired=retired
    )


def statements_of(
    connection: psycopg.Connection[Any],
    tenant: TenantId,
    *,
    source: SourceId | None = None,
    canonical_id: str | None = None,
    property_: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Statements with what is constant for their source, in the order of entity, property, language and authority."""
    wanted = {"tenant_id": tenant, "source_id": source, "canonical_id": canonical_id, "property": property_}
    given = {column: value for column, value in wanted.items() if value is not None}
    query = _OF_TENANT.format(conditions=" AND ".join(f"{column} = %({column})s" for column in given))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, {**given, "limit": limit, "offset": offset}).fetchall()


def count_distinct(connection: psycopg.Connection[Any], tenant: TenantId) -> int:
    """How many different statements the tenant's sources make now: of an entity, a property, a language, a value."""
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


def _link_rows(links: StageReader) -> Iterator[list[pa.Array]]:
    for table in links.tables("links"):
        for frame in table.batches(("entity_id", "canonical_id")):
            yield [_text(frame[name]) for name in ("entity_id", "canonical_id")]


def _statement_rows(statements: StageReader) -> Iterator[list[pa.Array]]:
    position = 0
    for table in statements.tables("statements"):
        for frame in table.batches(STATEMENT_COLUMNS):
            numbers = pa.array(range(position, position + len(frame))).cast(_TEXT)
            position += len(frame)
            yield [numbers, pa.array(statement_ids(frame)), *(_text(frame[name]) for name in STATEMENT_COLUMNS)]


def _text(column: pd.Series[Any]) -> pa.Array:
    """A column in the escapes of COPY's text format (which, unlike CSV, has no content that could end the data)."""
    text = pa.array(column, _TEXT)
    if not pc.any(pc.match_substring_regex(text, r"[\\\n\r\t]")).as_py():
        return text
    for character, escape in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = pc.replace_substring(text, character, escape)
    return text


def _lines(columns: list[pa.Array]) -> bytes | pa.Buffer:
    """Rows in COPY's text format."""
    lines = pc.binary_join_element_wise(*columns, "\t")
    if lines.null_count or pc.any(pc.match_substring(lines, "\0")).as_py():
        raise IntegrityError(
            "A statement or link holds no text where there must be one, or a NUL character",
            where="assemble",
            remedy="This is a fault of the stage, not of the source: report it with the stage's record.",
        )
    if not len(lines):
        return b""
    ended = pa.concat_arrays([lines, pa.array([""], lines.type)])
    return pc.binary_join(pa.ListArray.from_arrays([0, len(ended)], ended), "\n")[0].as_buffer()


def _copy(cursor: psycopg.Cursor[Any], command: LiteralString, batches: Iterator[list[pa.Array]]) -> None:
    """Copy rows in. The next batch is made ready while the database takes in the one before."""
    ready = map(_lines, batches)
    with cursor.copy(command) as copy, ThreadPoolExecutor(1, "copy") as ahead:
        coming = ahead.submit(next, ready, None)
        while (lines := coming.result()) is not None:
            coming = ahead.submit(next, ready, None)
            copy.write(lines)
