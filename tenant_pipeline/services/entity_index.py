"""The tenant's entities in the database, as linking finds them and adds to them. One transaction, one tenant."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import LiteralString, Self

import pyarrow as pa
from psycopg.rows import tuple_row
from pyarrow import csv

from tenant_pipeline.core.seen_filter import SeenFilter
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking.entity_index import LINKS, Holder, Home, Known, KnownMember, Member, Proposal, Said
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.identifiers import identifier_keys
from tenant_pipeline.services.blocking_key_rows import BlockingKeyRows
from tenant_pipeline.services.entity_additions import EntityAdditions
from tenant_pipeline.services.entity_inheritance import EntityInheritance
from tenant_pipeline.storage.database import ALLOW_MEMORY, Connection

MEMBERS_AT_ONCE = 5_000

# Lookups go row by row through an index (LATERAL … OFFSET 0), whatever the planner believes: in the transaction that
# fills the tables nothing has counted them yet, and a scan of a million entities a batch is quadratic.

# The tenant and the kind are asked for in a way that hides them from the planner: it takes a tenant that came since the
# tables were counted for one of hardly a row, and then reads the index that begins with the tenant from its beginning
# for each key, which is quadratic (decision 28).
_LOOK_UP = """
SELECT wanted.scheme, wanted.value, home.canonical_id, coalesce(home.merged_into, home.canonical_id)
  FROM unnest(%(schemes)s::text[], %(values)s::text[]) AS wanted (scheme, value)
  CROSS JOIN LATERAL (
        SELECT canonical_id FROM runtime.entity_keys
         WHERE tenant_id = (SELECT %(tenant)s::text) AND kind = (SELECT %(kind)s::text) AND type = %(type)s
           AND scheme = wanted.scheme AND value = wanted.value
         ORDER BY canonical_id LIMIT 1) AS known
  CROSS JOIN LATERAL (
        SELECT canonical_id, merged_into FROM runtime.entities
         WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = known.canonical_id OFFSET 0) AS home
"""

_LEAVING = """
WITH RECURSIVE leaving AS (
    SELECT home.canonical_id AS home_id, home.merged_into, true AS leaves
      FROM unnest(%(homes)s::text[]) AS wanted (id)
      CROSS JOIN LATERAL (
            SELECT canonical_id, merged_into FROM runtime.entities
             WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = wanted.id OFFSET 0) AS home
     UNION
    SELECT home.canonical_id, leaving.merged_into,
           of_home.members = 1 AND of_home.method = 'score' AND home.canonical_id <> ALL(%(followed)s::text[])
      FROM leaving
      CROSS JOIN LATERAL (
            SELECT canonical_id FROM runtime.entities
             WHERE tenant_id = (SELECT %(tenant)s::text) AND merged_into = leaving.merged_into
               AND attached_to = leaving.home_id OFFSET 0) AS home
      CROSS JOIN LATERAL (
            SELECT count(*) AS members, min(method) AS method FROM runtime.entity_members
             WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = leaving.merged_into
               AND home_id = home.canonical_id) AS of_home
     WHERE leaving.leaves
)
SELECT home_id, bool_or(leaves) AS leaves FROM leaving GROUP BY home_id
"""
_TIE_TO_WHAT_STAYS = """
UPDATE runtime.entities SET attached_to = merged_into WHERE tenant_id = %s AND canonical_id = ANY(%s)
"""

_CROWDED = """
SELECT home_id, canonical_id, score
  FROM (SELECT member.home_id, member.canonical_id, member.method, member.score,
               min(member.home_id) OVER rows_of_one <> max(member.home_id) OVER rows_of_one AS crowded
          FROM pg_temp.linked_now
          JOIN runtime.entity_members AS member USING (entity_id)
         WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
           AND member.source_table <> ALL(%(keyless)s::text[])
        WINDOW rows_of_one AS (PARTITION BY member.canonical_id, member.source_table)) AS given
 WHERE crowded AND method = 'score' AND home_id <> canonical_id
"""

_LINKED = """
COPY (SELECT member.entity_id, member.canonical_id, home.type, member.method, member.score, member.explanation
        FROM pg_temp.linked_now AS now
        JOIN runtime.entity_members AS member USING (entity_id)
        JOIN runtime.entities AS home ON home.tenant_id = member.tenant_id AND home.canonical_id = member.home_id
       WHERE member.tenant_id = (SELECT %s::text) AND member.source_id = %s
       ORDER BY member.entity_id) TO STDOUT (FORMAT csv)
"""


class PostgresEntityIndex:
    """An EntityIndex over a connection logged in as the tenant. It holds the tenant's linking lock until it commits.

    What is added is written while the caller goes on, and before the next question to the database. So it is a context
    manager: past its end nothing writes any more. In `folder`, or else among the system's temporary files, lies what
    does not fit in memory while it works.
    """

    def __init__(self, connection: Connection, tenant: TenantId, source: SourceId, folder: Path | None = None) -> None:
        self._open = connection
        self._writer = ThreadPoolExecutor(1, "entity-index")
        self._written: Future[None] | None = None
        self._tenant = tenant
        self._source = source
        self._parameters = {"tenant": tenant, "source": source}
        lock_identity(connection, tenant)
        self._first = not self._is_there("runtime.entities WHERE tenant_id = %(tenant)s")
        self.source_is_new = not self._is_there(
            "runtime.entity_members WHERE tenant_id = %(tenant)s AND source_id = %(source)s"
        )
        self._any_judged = self._is_there("runtime.judgements WHERE tenant_id = %(tenant)s AND status = 'decided'")
        self._keys = BlockingKeyRows(connection, tenant, empty=self._first, folder=folder)
        self._additions = EntityAdditions(connection, tenant, source, self._keys)
        self._added = SeenFilter()
        self._any_telling = self._perhaps_telling = False
        self._followed: set[str] = set()
        self._unread: Iterable[Sequence[str]] = ()
        connection.execute("CREATE TEMPORARY TABLE said_anywhere (entity_id text) ON COMMIT DROP")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exception_type: type[BaseException] | None, *exception: object) -> None:
        self._writer.shutdown()
        self._keys.close()
        if exception_type is None:
            self._wait()

    def members(self, entity_ids: Sequence[str]) -> dict[str, KnownMember]:
        """The entities of this source that an earlier run has linked."""
        if self.source_is_new:
            return {}
        rows = self._connection.execute(
            """
            SELECT member.*
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT entity_id, home_id, canonical_id, features_digest FROM runtime.entity_members
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND source_id = %(source)s
                       AND entity_id = wanted.id
                    OFFSET 0) AS member
            """,
            {**self._parameters, "ids": list(entity_ids)},
        )
        return {row.pop("entity_id"): KnownMember(**row) for row in rows}

    def note(self, entity_ids: Iterable[Sequence[str]]) -> None:
        """Learn what the source speaks of now. Of one that is new that is what this run has linked."""
        self._unread = () if self.source_is_new else entity_ids

    def _note_what_is_said(self) -> None:
        unread, self._unread = self._unread, ()
        if not unread:
            return
        connection = self._connection
        with connection.cursor() as cursor, cursor.copy("COPY pg_temp.said_anywhere FROM STDIN") as copy:
            for batch in unread:
                for entity_id in batch:
                    copy.write_row((entity_id,))
        connection.execute("CREATE INDEX ON pg_temp.said_anywhere (entity_id)")
        connection.execute("ANALYZE pg_temp.said_anywhere")

    def hand_on(self, batches: Iterable[Sequence[Said]]) -> None:
        """Make heirs members in the place of entities that the source spoke of before and does not any more."""
        if self.source_is_new:
            return
        with EntityInheritance(self._connection, self._tenant, self._source) as inheritance:
            for batch in batches:
                inheritance.note(batch, self.members([each.entity_id for each in batch]))
            inheritance.hand_on()

    def by_identifier(self, type_: str, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """What is known under each (scheme, value) for the type."""
        wanted = sorted(identifiers)
        if self._first:
            added = self._added.may_have_seen([(type_, *each) for each in wanted])
            wanted = [each for each, may_be in zip(wanted, added, strict=True) if may_be]
        if not wanted:
            return {}
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(
                _LOOK_UP,
                {
                    "schemes": [scheme for scheme, _ in wanted],
                    "values": [value for _, value in wanted],
                    "tenant": self._tenant,
                    "kind": "identifier",
                    "type": type_,
                },
            )
            return {(scheme, value): Known(home, canonical) for scheme, value, home, canonical in rows}

    def by_blocking_key(self, keys: Iterable[int], *, alone: bool = False) -> dict[int, list[Known]]:
        """What is known under each blocking key, in order; keys that too many share are left out, and for a table of
        keyed rows that is alone in its source those that its own new rows have to themselves: all of them where the
        tenant knew nothing before."""
        if alone and self._first and not self._tells():
            return {}
        self._wait()
        return self._keys.homes(keys, alone=alone)

    def _tells(self) -> bool:
        """Whether a home of this run is of use to its own table."""
        if self._perhaps_telling:
            self._any_telling = self._any_telling or self._is_there("pg_temp.telling_homes")
            self._perhaps_telling = False
        return self._any_telling

    def features(self, canonical_ids: Iterable[str]) -> dict[str, Features]:
        """What is known of these canonical entities, from all their homes: their own first."""
        wanted = sorted(canonical_ids)
        if not wanted:
            return {}
        rows = self._connection.execute(
            """
            SELECT wanted.id AS canonical_id, kept.canonical_id AS home_id, kept.features
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT wanted.id AS home_id
                     UNION ALL
                    SELECT canonical_id FROM runtime.entities
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND merged_into = wanted.id) AS home
              CROSS JOIN LATERAL (
                    SELECT canonical_id, features FROM runtime.entity_features
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = home.home_id OFFSET 0) AS kept
            """,
            {"ids": wanted, "tenant": self._tenant},
        ).fetchall()
        found: dict[str, Features] = {}
        for row in sorted(rows, key=lambda row: (row["home_id"] != row["canonical_id"], row["home_id"])):
            name = row["canonical_id"]
            each = Features.from_json(name, row["features"])
            found[name] = found[name].merged_with(each) if name in found else each
        return found

    def holders(self, canonical_ids: Iterable[str]) -> dict[tuple[str, str], Holder]:
        """The rows that this source speaks of now, by canonical entity and table; those of this run with the bits they
        came in by."""
        wanted = sorted(canonical_ids)
        if not wanted:
            return {}
        self._note_what_is_said()
        rows = self._connection.execute(
            """
            SELECT member.canonical_id, member.source_table, member.entity_id, member.home_id,
                   CASE WHEN linked_now.entity_id IS NOT NULL AND NOT linked_now.seen_before
                         AND member.method = 'score' AND member.of_home = 1 THEN home.attached_bits END AS bits
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT source_id, canonical_id, source_table, entity_id, home_id, method,
                           count(*) OVER (PARTITION BY home_id) AS of_home
                      FROM runtime.entity_members
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = wanted.id) AS member
              CROSS JOIN LATERAL (
                    SELECT attached_bits FROM runtime.entities
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = member.home_id OFFSET 0) AS home
              LEFT JOIN pg_temp.linked_now ON linked_now.entity_id = member.entity_id
              LEFT JOIN LATERAL (
                    SELECT true AS found FROM pg_temp.said_anywhere WHERE entity_id = member.entity_id LIMIT 1
              ) AS said ON true
             WHERE member.source_id = %(source)s AND (linked_now.entity_id IS NOT NULL OR said.found)
             ORDER BY bits NULLS LAST, member.entity_id
            """,
            {**self._parameters, "ids": wanted},
        )
        return {
            (row["canonical_id"], row["source_table"]): Holder(row["entity_id"], row["home_id"], row["bits"])
            for row in rows
        }

    def judged(self, home_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """What people have decided of these ids: `different` comes last where the other's homes were judged otherwise
        too."""
        if not self._any_judged:
            return []
        rows = self._connection.execute(
            """
            SELECT said.own, coalesce(home.merged_into, said.other) AS other, said.judgement
              FROM unnest(%(ids)s::text[]) AS wanted (id)
              CROSS JOIN LATERAL (
                    SELECT left_id AS own, right_id AS other, judgement FROM runtime.judgements
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND left_id = wanted.id AND status = 'decided'
                     UNION ALL
                    SELECT right_id, left_id, judgement FROM runtime.judgements
                     WHERE tenant_id = (SELECT %(tenant)s::text) AND right_id = wanted.id
                       AND status = 'decided') AS said
              LEFT JOIN runtime.entities AS home ON home.tenant_id = (SELECT %(tenant)s::text)
                AND home.canonical_id = said.other
             ORDER BY said.judgement = 'different', said.judgement = 'unsure', said.own, other
            """,
            {"ids": sorted(home_ids), "tenant": self._tenant},
        )
        return [(row["own"], row["other"], row["judgement"]) for row in rows]

    def release(self, homes: Sequence[str]) -> list[Features]:
        """Take homes of this run from what they were attached to, with what a score attached to them in turn; returns
        their entities, to be matched again."""
        found = self._connection.execute(
            _LEAVING, {"tenant": self._tenant, "homes": list(homes), "followed": list(self._followed)}
        ).fetchall()
        leaving = [row["home_id"] for row in found if row["leaves"]]
        staying = [row["home_id"] for row in found if not row["leaves"]]
        self._followed.update(set(leaving).difference(homes))
        if staying:
            self._connection.execute(_TIE_TO_WHAT_STAYS, (self._tenant, staying))
        self._connection.execute(
            """
            UPDATE runtime.entities SET merged_into = NULL, attached_to = '', attached_bits = NULL
             WHERE tenant_id = %s AND canonical_id = ANY(%s)
            """,
            (self._tenant, leaving),
        )
        rows = self._connection.execute(
            """
            UPDATE runtime.entity_members AS member SET canonical_id = member.home_id, method = 'new'
              FROM runtime.entity_features AS kept
             WHERE member.tenant_id = (SELECT %(tenant)s::text) AND member.source_id = %(source)s
               AND member.home_id = ANY(%(homes)s)
               AND member.entity_id IN (SELECT entity_id FROM pg_temp.linked_now)
               AND kept.tenant_id = (SELECT %(tenant)s::text) AND kept.canonical_id = member.home_id
            RETURNING member.entity_id, member.source_table, kept.features
            """,
            {**self._parameters, "homes": leaving},
        ).fetchall()
        released = []
        for row in sorted(rows, key=lambda row: str(row["entity_id"])):
            features = Features.from_json(row["entity_id"], row["features"])
            features.table = row["source_table"]
            released.append(features)
        return released

    def add(
        self,
        seen: Sequence[str],
        changed: Mapping[str, str],
        members: Sequence[Member],
        homes: Mapping[str, Home],
        proposals: Sequence[Proposal],
    ) -> None:
        """Keep members, their homes with the keys that follow, and pairs to judge; `seen` are members already, of which
        `changed` have other features than before: the digest of these by entity."""
        self._wait()
        perhaps_known = self._perhaps_known(list(homes))
        self._perhaps_telling |= bool(perhaps_known) or any(
            home.attached_to or home.canonical_id != name for name, home in homes.items()
        )
        if self._first:
            self._added.add([*homes, *(key for home in homes.values() for key in identifier_keys(home.features))])
        self._written = self._writer.submit(
            self._additions.write, seen, changed, members, homes, proposals, perhaps_known
        )

    def _perhaps_known(self, homes: list[str]) -> list[str]:
        """Those of the homes that may be there already."""
        if not self._first:
            return homes
        return [name for name, may_be in zip(homes, self._added.may_have_seen(homes), strict=True) if may_be]

    @property
    def _connection(self) -> Connection:
        """The connection, with all that was added."""
        self._wait()
        return self._open

    def _wait(self) -> None:
        written, self._written = self._written, None
        if written is not None:
            written.result()

    def _is_there(self, rows: LiteralString) -> bool:
        found = self._connection.execute(f"SELECT EXISTS (SELECT FROM {rows}) AS found", self._parameters).fetchone()
        return found is not None and bool(found["found"])

    def crowded(self, keyless: frozenset[str]) -> Iterator[Sequence[tuple[Known, float]]]:
        """Homes of this run's entities that a score gave to what another row of their table is, too, each with its
        probability. A source that is new has none."""
        if self.source_is_new:
            return
        self._connection.execute(ALLOW_MEMORY)
        self._connection.execute("SET LOCAL cursor_tuple_fraction = 1")  # all of it is read: no plan that begins soon
        with self._connection.cursor(name="crowded", row_factory=tuple_row) as cursor:
            cursor.execute(_CROWDED, {**self._parameters, "keyless": sorted(keyless)})
            while rows := cursor.fetchmany(MEMBERS_AT_ONCE):
                yield [(Known(home, canonical), score) for home, canonical, score in rows]
                self._wait()

    def linked(self) -> Iterator[pa.Table]:
        """All entities of this run, in the order of their ids: rows of `LINKS`."""
        self._wait()
        self._keys.write()
        self._connection.execute(ALLOW_MEMORY)
        with self._connection.cursor() as cursor, cursor.copy(_LINKED, (self._tenant, self._source)) as rows:
            while text := b"".join(islice(rows, MEMBERS_AT_ONCE)):
                links = csv.read_csv(
                    io.BytesIO(text),
                    csv.ReadOptions(column_names=LINKS.names, use_threads=False),
                    csv.ParseOptions(newlines_in_values=True),
                    csv.ConvertOptions(column_types=LINKS, strings_can_be_null=False),
                )
                yield links.set_column(LINKS.names.index("explanation"), "explanation", _as_said(links["explanation"]))


def _as_said(explanations: pa.ChunkedArray) -> pa.Array:
    """JSON as linking writes it, from JSON as the database does. Most members say the same."""
    coded = explanations.combine_chunks().dictionary_encode()
    texts = [json.dumps(json.loads(each), ensure_ascii=False, sort_keys=True) for each in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


def lock_identity(connection: Connection, tenant: TenantId) -> None:
    """Wait until nobody else of the tenant links, judges or assembles, and keep the others waiting to the commit."""
    connection.execute("SELECT app.lock('linking', %s)", (tenant,))
