"""The live release as the instance reads it: each answer from one snapshot, so that it never mixes two releases."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from rapidfuzz import fuzz

from tenant_pipeline.core.release.search_grams import fold_for_search, search_grams
from tenant_pipeline.nerve.settings import InstanceSettings

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

CONNECTIONS = 4
EXPORTS = CONNECTIONS // 2
"""So many are read at once: each holds a connection for as long as its client takes, and all others need one, too."""
STATEMENT_TIMEOUT = "5s"
EXPORT_TIMEOUT = "300s"
CANDIDATES = 200
"""How many entities that share the most pieces with a query are compared with it letter by letter."""
LEAST_SCORE = 55.0
"""Below this similarity (0-100) a name is no answer to a query, where no flag says otherwise."""
ROWS_AT_ONCE = 500


class NoReleaseError(Exception):
    """Nothing has been published yet."""


class BusyError(Exception):
    """Every connection is at work, or the database does not answer."""


@dataclass(frozen=True)
class LiveRelease:
    """Which release is live."""

    digest: str
    version: str
    template_version: str
    entities: int
    published_at: str


class KnowledgeBase:
    """The tenant's serving views, read through a few connections of the instance's own role."""

    def __init__(self, settings: InstanceSettings) -> None:
        self._dsn = settings.dsn
        self._schema = sql.Identifier(settings.schema)
        self._exports = threading.BoundedSemaphore(EXPORTS)
        self._idle: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(CONNECTIONS):
            self._idle.put(None)

    def close(self) -> None:
        """Close the idle connections."""
        with suppress(queue.Empty):
            while True:
                connection = self._idle.get_nowait()
                if connection is not None:
                    connection.close()

    @contextmanager
    def snapshot(self, timeout: str = STATEMENT_TIMEOUT) -> Iterator[Snapshot]:
        """One read-only snapshot. Raises BusyError when none can be had."""
        try:
            connection = self._idle.get(timeout=5)
        except queue.Empty:
            raise BusyError from None
        try:
            try:
                connection = self._alive(connection)
            except psycopg.OperationalError:
                connection = None
                raise BusyError from None
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(timeout)))
                yield Snapshot(connection, self._schema)
        except psycopg.errors.QueryCanceled:
            raise BusyError from None
        except psycopg.OperationalError:
            if connection is not None:
                connection.close()
            raise BusyError from None
        finally:
            self._idle.put(connection)

    @contextmanager
    def export(self) -> Iterator[Snapshot]:
        """A snapshot that is read for long. Raises BusyError where EXPORTS are read already, or none can be had."""
        if not self._exports.acquire(blocking=False):
            raise BusyError
        try:
            with self.snapshot(EXPORT_TIMEOUT) as snapshot:
                yield snapshot
        finally:
            self._exports.release()

    def _alive(self, connection: Connection | None) -> Connection:
        if connection is not None and not connection.closed:
            with suppress(psycopg.OperationalError):
                connection.execute("SELECT 1")
                return connection
            connection.close()
        return psycopg.connect(
            self._dsn, autocommit=True, row_factory=dict_row, connect_timeout=5, application_name="nerve"
        )


@dataclass(frozen=True)
class Snapshot:
    """The live release at one moment."""

    connection: Connection
    schema: sql.Identifier

    def live(self) -> LiveRelease:
        """Which release is live. Raises NoReleaseError before the first."""
        row = self._execute(
            "SELECT release_digest, version, template_version, entities, published_at FROM {}.live"
        ).fetchone()
        if row is None:
            raise NoReleaseError
        return LiveRelease(
            row["release_digest"],
            row["version"],
            row["template_version"],
            row["entities"],
            row["published_at"].isoformat(),
        )

    def entity(self, identifier: str) -> Row | None:
        """One entity's document, or None."""
        row = self._execute("SELECT document FROM {}.live_documents WHERE canonical_id = %s", (identifier,)).fetchone()
        return row["document"] if row else None

    def search(self, query: str, *, type_: str | None, limit: int, least_score: float) -> list[Row]:
        """The entities whose names are at least so like the query (0-100), the likest first, each with its score."""
        grams = search_grams(query)
        if not grams:
            return []
        rows = self._execute(
            """
            SELECT canonical_id, type, label, document -> 'names' AS names
              FROM (SELECT *, (SELECT count(*) FROM unnest(grams) AS gram WHERE gram = ANY(%(grams)s)) AS shared
                      FROM {}.live_documents
                     WHERE grams && %(grams)s AND (%(type)s::text IS NULL OR type = %(type)s)) AS found
             ORDER BY shared DESC, cardinality(grams), canonical_id
             LIMIT %(candidates)s
            """,
            {"grams": grams, "type": type_, "candidates": CANDIDATES},
        ).fetchall()
        folded = fold_for_search(query)
        scored = [(*_best_name(folded, row["names"]), row) for row in rows]
        scored.sort(key=lambda each: (-each[0], each[2]["canonical_id"]))
        return [
            {
                "id": row["canonical_id"],
                "type": row["type"],
                "label": row["label"],
                "names": row["names"],
                "matched": name,
                "score": round(score, 1),
            }
            for score, name, row in scored[:limit]
            if score >= least_score
        ]

    def documents(self) -> Iterator[Row]:
        """Every document, in the order of the ids, in bounded memory."""
        with self.connection.cursor(name="documents") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            query = sql.SQL("SELECT document FROM {}.live_documents ORDER BY canonical_id").format(self.schema)
            for row in cursor.execute(query):
                yield row["document"]

    def flags(self) -> Row:
        """The flags that hold for this instance."""
        rows = self._execute("SELECT flag, value FROM {}.flags ORDER BY flag").fetchall()
        return {row["flag"]: row["value"] for row in rows}

    def _execute(self, query: str, parameters: Any = None) -> psycopg.Cursor[Row]:
        return self.connection.execute(sql.SQL(query).format(self.schema), parameters)


def _best_name(folded_query: str, names: dict[str, list[str]]) -> tuple[float, str]:
    """The name most like the query, with its score: whole names count most, then words in any order, then a part."""
    best, which = 0.0, ""
    for name in (each for of_language in names.values() for each in of_language):
        folded = fold_for_search(name)
        score = max(
            fuzz.ratio(folded_query, folded),
            0.95 * fuzz.token_sort_ratio(folded_query, folded),
            0.9 * fuzz.partial_ratio(folded_query, folded) * min(1.0, len(folded) / max(1, len(folded_query))),
        )
        if score > best:
            best, which = score, name
    return best, which
