"""The statements of a source, taken into the tenant's draft knowledge base in one transaction.

A statement is never overwritten. What a source goes on saying is not touched; what it no longer says is retired: its
row stays, and it is in force again once it is said again. A value that holds for another time is another statement.
Only where an entity was linked anew does its `canonical_id` follow; and where it is read as of another type by now, or
turns out to be an AI's word or none, its types and how and where it was read.

Statements come entity by entity, in the order of the primary key, so that what is read together lies together and an
index takes in its entries one beside the other.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.rows import tuple_row

from tenant_pipeline.core.entity_parts import part_bounds, part_on_disk, read_part
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.one_ahead import one_ahead
from tenant_pipeline.core.statement import AI_MARK, STATEMENT_COLUMNS
from tenant_pipeline.core.tables import StageReader
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.storage.database import ALLOW_MEMORY

ID_DIGITS = 24

_TEXT = pa.string()
_SAID = pa.schema([(name, _TEXT) for name in STATEMENT_COLUMNS])
_LINKS = pa.schema([(name, _TEXT) for name in ("entity_id", "canonical_id")])

_STAGE = """
CREATE TEMPORARY TABLE said (
    statement_id text NOT NULL, canonical_id text NOT NULL, entity_id text NOT NULL, type text NOT NULL,
    property text NOT NULL, value text NOT NULL, raw_value text NOT NULL, lang text NOT NULL, datatype text NOT NULL,
    locator text NOT NULL, method text NOT NULL, valid_from text NOT NULL, valid_to text NOT NULL
) ON COMMIT DROP
"""

_COPY: LiteralString = "COPY pg_temp.said FROM STDIN"

_STANDING = """
SELECT EXISTS (SELECT FROM runtime.statements WHERE tenant_id = %(tenant)s AND source_id = %(source)s),
       EXISTS (SELECT FROM runtime.tenant_sources
                WHERE tenant_id = %(tenant)s AND id = %(source)s AND identity_version > 0)
"""

_STAGE_LINKS = """
CREATE TEMPORARY TABLE linked (entity_id text NOT NULL, canonical_id text NOT NULL) ON COMMIT DROP
"""

# What was merged or split since the source was linked.
_MOVED_SINCE = """
SELECT entity_id, member.canonical_id
  FROM pg_temp.linked JOIN runtime.entity_members AS member USING (entity_id)
 WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
   AND member.canonical_id <> linked.canonical_id
"""

# For the search of what is said no more. Without it the planner may hold everything against everything, as long as it
# believes that the source has said little before.
_INDEX_SAID = "CREATE UNIQUE INDEX ON pg_temp.said (entity_id, statement_id)"

# It was last seen when the source was assembled before.
_RETIRE = """
UPDATE runtime.statements AS known
   SET retired_at = %(seen_at)s,
       last_seen = greatest(known.last_seen, (SELECT assembled_at FROM runtime.tenant_sources
                                               WHERE tenant_id = %(tenant)s AND id = %(source)s))
 WHERE known.tenant_id = (SELECT %(tenant)s::text) AND known.source_id = %(source)s
   AND known.retired_at IS NULL
   AND NOT EXISTS (SELECT FROM pg_temp.said
                    WHERE said.entity_id = known.entity_id AND said.statement_id = known.statement_id)
"""

_SEE_AGAIN = """
UPDATE runtime.statements AS known
   SET canonical_id = said.canonical_id, retired_at = NULL,
       last_seen = CASE WHEN known.retired_at IS NULL THEN known.last_seen
                        ELSE greatest(known.last_seen, %(seen_at)s) END,
       absent = CASE WHEN known.retired_at IS NULL THEN known.absent
                     ELSE known.absent
                          + tstzmultirange(tstzrange(known.retired_at, greatest(known.retired_at, %(seen_at)s))) END
  FROM pg_temp.said
 WHERE known.tenant_id = (SELECT %(tenant)s::text) AND known.source_id = %(source)s
   AND known.entity_id = said.entity_id AND known.statement_id = said.statement_id
   AND (known.retired_at IS NOT NULL OR known.canonical_id <> said.canonical_id)
"""

# Rows of before periods were part of their ids may bear one that is no longer said.
_READ_OTHERWISE = """
UPDATE runtime.statements AS known
   SET type = said.type, datatype = said.datatype, method = said.method, locator = said.locator,
       valid_from = said.valid_from, valid_to = said.valid_to
  FROM pg_temp.said
 WHERE known.tenant_id = (SELECT %(tenant)s::text) AND known.source_id = %(source)s
   AND known.entity_id = said.entity_id AND known.statement_id = said.statement_id
   AND (starts_with(known.method, %(ai)s) <> starts_with(said.method, %(ai)s)
        OR known.type <> said.type OR known.datatype <> said.datatype
        OR known.valid_from <> said.valid_from OR known.valid_to <> said.valid_to)
"""

_INSERT = """
INSERT INTO runtime.statements
       (tenant_id, source_id, statement_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype,
        locator, method, valid_from, valid_to, first_seen, last_seen)
SELECT %(tenant)s, %(source)s, statement_id, entity_id, canonical_id, type, property, value, raw_value, lang, datatype,
       locator, method, valid_from, valid_to, %(seen_at)s::timestamptz, %(seen_at)s::timestamptz
  FROM pg_temp.said
"""

# The anti-join, because ON CONFLICT locks each row that is there already, and locking writes; it also looks twice for
# each new row.
_INSERT_NEW = (
    _INSERT
    + """
 WHERE NOT EXISTS (SELECT FROM runtime.statements AS known
                    WHERE known.tenant_id = (SELECT %(tenant)s::text) AND known.source_id = %(source)s
                      AND known.entity_id = said.entity_id AND known.statement_id = said.statement_id)
 ORDER BY entity_id, statement_id
"""
)


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


@dataclass(frozen=True)
class _Part:
    """Statements of some entities, each once, as COPY takes them; and how many more said the same."""

    lines: bytes | pa.Buffer
    statements: int
    duplicates: int


def statement_ids(said: pa.Table) -> list[str]:
    """The ids of statements: 24 hex digits of the SHA-256 over entity, property, value and language, and over from when
    and until when it holds where either is said.

    Each part is framed by its length, so that no two statements run into one; `core.digest.short_id` gives the same.
    """
    framed: dict[str, bytes] = {}

    def frame_of(part: str) -> bytes:
        encoded = part.encode()
        return len(encoded).to_bytes(8, "big") + encoded

    columns = [said[name].to_pylist() for name in ("entity_id", "property", "value", "lang", "valid_from", "valid_to")]
    for column in (*columns[:2], *columns[3:]):
        framed.update((part, frame_of(part)) for part in set(column))

    def identified(entity: str, name: str, value: str, lang: str, since: str, until: str) -> str:
        period = framed[since] + framed[until] if since or until else b""
        parts = framed[entity] + framed[name] + frame_of(value) + framed[lang] + period
        return "st-" + hashlib.sha256(parts).hexdigest()[:ID_DIGITS]

    return [identified(*parts) for parts in zip(*columns, strict=True)]


def assemble(
    connection: psycopg.Connection[Any],
    tenant: TenantId,
    source: SourceId,
    links: StageReader,
    statements: StageReader,
    seen_at: datetime,
    folder: Path | None = None,
) -> AssembleCount:
    """Take the statements of a source into the tenant's knowledge base, in the transaction that `connection` is in.

    `connection` is the tenant's own login. It writes what is new, what is retired, what is in force again and what is
    linked or read otherwise: run again with the same input, it touches no row. In `folder` (or among the system's
    temporary files) lies what does not fit in memory while it works. Raises
    IntegrityError when a statement is about an entity without a link, an entity has two, or a text holds what no
    database text can (NUL); the transaction is then to be rolled back.
    """
    parameters = {"tenant": tenant, "source": source, "seen_at": seen_at, "ai": AI_MARK}
    said = duplicates = inserted = retired = 0
    with (
        connection.cursor(row_factory=tuple_row) as cursor,
        tempfile.TemporaryDirectory(prefix="assemble-", dir=folder) as place,
        ThreadPoolExecutor(1, "assemble") as executor,
    ):
        known, moved_since = cursor.execute(_STANDING, parameters).fetchone() or (False, False)
        moved = _moved(cursor, parameters, links) if moved_since else {}
        cursor.execute(_STAGE)
        for part in one_ahead(executor, _parts(source, statements, links, moved, Path(place))):
            with cursor.copy(_COPY) as copy:
                copy.write(part.lines)
            said += part.statements
            duplicates += part.duplicates
            if not known:
                inserted += cursor.execute(_INSERT, parameters).rowcount
                cursor.execute("TRUNCATE pg_temp.said")
        if known:
            cursor.execute(ALLOW_MEMORY)
            cursor.execute(_INDEX_SAID)
            # Nothing analyses temporary tables by itself, and without numbers the planner takes them for tiny.
            cursor.execute("ANALYZE pg_temp.said")
            retired = cursor.execute(_RETIRE, parameters).rowcount
            cursor.execute(_SEE_AGAIN, parameters)
            cursor.execute(_READ_OTHERWISE, parameters)
            inserted = cursor.execute(_INSERT_NEW, parameters).rowcount
        cursor.execute("DROP TABLE pg_temp.said")
    return AssembleCount(inserted=inserted, already_present=said - inserted, duplicates=duplicates, retired=retired)


def _moved(cursor: psycopg.Cursor[Any], parameters: Mapping[str, Any], links: StageReader) -> dict[str, str]:
    """The canonical ids of entities that are others than the links say."""
    cursor.execute(_STAGE_LINKS)
    with cursor.copy("COPY pg_temp.linked FROM STDIN") as copy:
        for batch in _rows(links, "links", _LINKS):
            copy.write(_lines([_escaped(batch[name]) for name in _LINKS.names]))
    cursor.execute("ANALYZE pg_temp.linked")
    moved = dict(cursor.execute(_MOVED_SINCE, parameters).fetchall())
    cursor.execute("DROP TABLE pg_temp.linked")
    return moved


def _parts(
    source: SourceId, statements: StageReader, links: StageReader, moved: Mapping[str, str], place: Path
) -> Iterator[_Part]:
    """The statements of the source, some entities at a time, in the order of their ids."""
    bounds = part_bounds(sum(table.rows for table in statements.tables("statements")))
    said, linked = _rows(statements, "statements", _SAID), _rows(links, "links", _LINKS)
    if len(bounds) == 1:
        yield _part(source, _together(said, _SAID), _together(linked, _LINKS), moved)
        return
    paths = []
    for name, rows, schema in (("statements", said, _SAID), ("links", linked, _LINKS)):
        (place / name).mkdir()
        paths.append(part_on_disk(rows, schema, bounds, place / name))
    for path, path_of_links in zip(*paths, strict=True):
        part, of_part = _together(read_part(path), _SAID), _together(read_part(path_of_links), _LINKS)
        yield _part(source, part, of_part, moved)


def _rows(stage: StageReader, role: str, schema: pa.Schema) -> Iterator[pa.Table]:
    for table in stage.tables(role):
        for frame in table.batches(schema.names):
            yield pa.Table.from_pandas(frame, preserve_index=False).select(schema.names).cast(schema)


def _together(tables: Iterator[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


def _part(source: SourceId, said: pa.Table, links: pa.Table, moved: Mapping[str, str]) -> _Part:
    if pc.count_distinct(links["entity_id"]).as_py() < len(links):
        raise IntegrityError("An entity of the source is linked twice", where=f"{source} links")
    link = pc.index_in(said["entity_id"], links["entity_id"].combine_chunks())
    if link.null_count:
        raise IntegrityError(
            f"{link.null_count} statements are about entities that were not linked",
            where=f"{source} links",
            remedy="This is a fault of the stage, not of the source: report it with the stage's record.",
        )
    canonical = links["canonical_id"]
    if moved:
        names = zip(links["entity_id"].to_pylist(), canonical.to_pylist(), strict=True)
        canonical = pa.array([moved.get(entity, linked) for entity, linked in names], _TEXT)
    ids = pa.array(statement_ids(said), _TEXT)
    part = said.append_column("statement_id", ids).append_column("canonical_id", canonical.take(link))
    duplicates = len(ids) - pc.count_distinct(ids).as_py()
    if duplicates:
        part = _without_repetitions(part)
    part = part.take(pc.sort_indices(part["entity_id"]))
    columns = ("statement_id", "canonical_id", *STATEMENT_COLUMNS)
    return _Part(_lines([_escaped(part[name]) for name in columns]), len(part), duplicates)


def _without_repetitions(said: pa.Table) -> pa.Table:
    """Of those that say the same the first is kept; an AI's word only where nobody else says it."""
    by_ai = pc.starts_with(said["method"], AI_MARK)
    in_order = said.append_column("ai", by_ai).sort_by([("statement_id", "ascending"), ("ai", "ascending")])
    ids = in_order["statement_id"].combine_chunks()
    is_first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
    return in_order.filter(is_first)


def _escaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column in the escapes of COPY's text format (which, unlike CSV, has no content that could end the data)."""
    if not pc.any(pc.match_substring_regex(column, r"[\\\n\r\t]")).as_py():
        return column
    for character, escape in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        column = pc.replace_substring(column, character, escape)
    return column


def _lines(columns: list[pa.ChunkedArray]) -> bytes | pa.Buffer:
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
    ended = pa.concat_arrays([*lines.chunks, pa.array([""], lines.type)])
    return pc.binary_join(pa.ListArray.from_arrays([0, len(ended)], ended), "\n")[0].as_buffer()
