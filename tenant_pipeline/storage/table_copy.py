"""Tables out of the database and into it: whole or one tenant's rows, in the order that foreign keys ask for.

Rows come in the order of the primary key, so that the same rows are the same bytes and one digest compares two tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, LiteralString

from psycopg import sql

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.database import Connection, login_of
from tenant_pipeline.storage.serving import TABLES as SERVING_TABLES

SCHEMA = "runtime"

_TABLES: LiteralString = """
SELECT class.relname AS name,
       (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
       (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = class.oid AND attidentity <> '') AS identities,
       (SELECT array_agg(attname ORDER BY array_position(key.conkey, attnum)) FROM pg_attribute
         WHERE attrelid = class.oid AND attnum = ANY (key.conkey)) AS key,
       coalesce((SELECT array_agg(DISTINCT target.relname) FROM pg_constraint AS reference
                   JOIN pg_class AS target ON target.oid = reference.confrelid
                  WHERE reference.contype = 'f' AND reference.conrelid = class.oid
                    AND reference.confrelid <> class.oid), '{}') AS refers_to
  FROM pg_class AS class
  LEFT JOIN pg_constraint AS key ON key.conrelid = class.oid AND key.contype = 'p'
 WHERE class.relnamespace = %s::regnamespace AND class.relkind = 'r'
"""


@dataclass(frozen=True)
class Table:
    """A table as it is copied. `tenant_column` is empty where rows are the platform's and no tenant's."""

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    identities: tuple[str, ...]
    tenant_column: str

    @property
    def path(self) -> str:
        return f"{self.schema}.{self.name}"


def runtime_tables(connection: Connection) -> list[Table]:
    """Every table of the runtime, those first to which others refer, as far as they do not refer to each other."""
    found = {row["name"]: row for row in connection.execute(_TABLES, (SCHEMA,)).fetchall()}
    return [_table(SCHEMA, found[name]) for name in _in_order({name: found[name]["refers_to"] for name in found})]


def serving_tables(connection: Connection, tenant: TenantId) -> list[Table]:
    """The tables that the tenant's instance reads; none where there is nothing to read."""
    schema = login_of(tenant)
    if connection.execute("SELECT to_regnamespace(%s) AS found", (schema,)).fetchone() == {"found": None}:
        return []
    found = {row["name"]: row for row in connection.execute(_TABLES, (schema,)).fetchall()}
    return [_table(schema, found[name]) for name in SERVING_TABLES if name in found]


def copy_out(connection: Connection, table: Table, tenant: TenantId | None) -> Iterator[bytes]:
    """The table's rows, or one tenant's, as COPY writes them."""
    query = sql.SQL("SELECT {} FROM {}{} ORDER BY {}").format(
        _names(table.columns), sql.Identifier(table.schema, table.name), _of(table, tenant),
        _names(table.key or table.columns),
    )  # fmt: skip
    with connection.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
        for block in copy:
            yield bytes(block)


def copy_in(connection: Connection, table: Table, rows: Iterable[bytes]) -> None:
    """Write rows that `copy_out` gave. Of the platform's own rows, those that are there already stay as they are."""
    place, columns = sql.Identifier(table.schema, table.name), _names(table.columns)
    target = place if table.tenant_column or table.schema != SCHEMA else sql.Identifier("pg_temp", "copied")
    if target is not place:
        connection.execute(sql.SQL("CREATE TEMP TABLE copied (LIKE {}) ON COMMIT DROP").format(place))
    with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(target, columns)) as copy:
        for block in rows:
            copy.write(block)
    if target is not place:
        connection.execute(
            sql.SQL(
                "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM copied ON CONFLICT DO NOTHING"
            ).format(place, columns=columns)
        )
        connection.execute("DROP TABLE pg_temp.copied")
    for column in table.identities:
        connection.execute(
            sql.SQL(
                "SELECT setval(pg_get_serial_sequence({path}, {name}), greatest((SELECT max({column}) FROM {table}),"
                " (SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname, sequencename)::regclass"
                " = pg_get_serial_sequence({path}, {name})::regclass), 1))"
            ).format(path=table.path, name=column, column=sql.Identifier(column), table=place)
        )


def _in_order(refers_to: dict[str, list[str]]) -> list[str]:
    graph = {name: set(others) for name, others in sorted(refers_to.items())}
    while True:
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            before, after = error.args[1][:2]
            graph[after].remove(before)


def _table(schema: str, row: dict[str, Any]) -> Table:
    columns = tuple(row["columns"])
    tenant_column = "id" if (schema, row["name"]) == (SCHEMA, "tenants") else "tenant_id"
    return Table(
        schema, row["name"], columns, tuple(row["key"] or ()), tuple(row["identities"] or ()),
        tenant_column if tenant_column in columns else "",
    )  # fmt: skip


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _of(table: Table, tenant: TenantId | None) -> sql.Composable:
    if tenant is None or not table.tenant_column:
        return sql.SQL("")
    return sql.SQL(" WHERE {} = {}").format(sql.Identifier(table.tenant_column), sql.Literal(tenant))
