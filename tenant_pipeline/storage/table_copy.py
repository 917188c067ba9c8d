"""Tables out of the database and into it: whole or one tenant's rows, in the order that foreign keys ask for.

Rows come in the order of the primary key by code point, and their values in one form, whatever the server's time zone,
collation and settings: so the same rows are the same bytes, and one digest compares two tables on different servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, LiteralString

from psycopg import sql

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.database import Connection, login_of
from tenant_pipeline.storage.serving import TABLES as SERVING_TABLES

SCHEMA = "runtime"
LARGEST_NUMBER = 2**48
"""No installation comes to give this many rows of a table a number; numbers are of eight bytes."""

_FORM: Mapping[str, str] = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
}
"""What the text of a value depends on, as the embedded server has it."""

_TABLES: LiteralString = """
SELECT class.relname AS name,
       (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
       (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = class.oid AND attidentity <> '') AS identities,
       (SELECT array_agg(attname ORDER BY array_position(key.conkey, attnum)) FROM pg_attribute
         WHERE attrelid = class.oid AND attnum = ANY (key.conkey)) AS key,
       (SELECT array_agg(attname) FROM pg_attribute, pg_database
         WHERE attrelid = class.oid AND attcollation <> 0 AND datname = current_database()
           AND datlocprovider <> 'b' AND (datlocprovider <> 'c' OR datcollate NOT IN ('C', 'POSIX'))) AS collated,
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
    """A table as it is copied. `tenant_column` is empty where rows are the platform's and no tenant's.

    `collated` are the columns that the database may order otherwise than by code point.
    """

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    collated: frozenset[str]
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


def copy_out(
    connection: Connection, table: Table, tenant: TenantId | None, *, as_set_here: bool = False
) -> Iterator[bytes]:
    """The table's rows, or one tenant's, as COPY writes them. The settings of their form stay for the transaction.

    `as_set_here`: in the form and order of this server, as snapshots were taken before all had one.
    """
    _set_form(connection, dict.fromkeys(_FORM) if as_set_here else _FORM)
    collated = frozenset[str]() if as_set_here else table.collated
    query = sql.SQL("SELECT {} FROM {}{} ORDER BY {}").format(
        _names(table.columns), sql.Identifier(table.schema, table.name), _of(table, tenant),
        sql.SQL(", ").join(_by_code_point(name, collated) for name in table.key or table.columns),
    )  # fmt: skip
    with connection.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
        for block in copy:
            yield bytes(block)


def copy_in(connection: Connection, table: Table, rows: Iterable[bytes], tenant: TenantId | None = None) -> None:
    """Write rows that `copy_out` gave. Of the platform's own rows, those that are there already stay as they are.

    With a tenant, raises IntegrityError where there is a row that is not of that tenant, or whose number would leave
    the others' none.
    """
    _set_form(connection, _FORM)
    place, columns = sql.Identifier(table.schema, table.name), _names(table.columns)
    shared = not table.tenant_column and table.schema == SCHEMA
    target = sql.Identifier("pg_temp", "copied") if shared or tenant is not None else place
    if target is not place:
        connection.execute(
            sql.SQL("CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(columns, place)
        )
    with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(target, columns)) as copy:
        for block in rows:
            copy.write(block)
    if tenant is not None:
        _require_rows_of(connection, table, tenant)
        _require_numbers_to_be_left(connection, table)
    if target is not place:
        connection.execute(
            sql.SQL("INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {}{}").format(
                place, target, sql.SQL(" ON CONFLICT DO NOTHING" if shared else ""), columns=columns
            )
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


def _require_rows_of(connection: Connection, table: Table, tenant: TenantId) -> None:
    """Return when all rows that were copied are the tenant's; of the platform's tables none is."""
    others: sql.Composable = sql.SQL("SELECT FROM pg_temp.copied")
    if table.tenant_column:
        column = sql.Identifier(table.tenant_column)
        others += sql.SQL(" WHERE {} IS DISTINCT FROM {}").format(column, sql.Literal(tenant))
    if connection.execute(others + sql.SQL(" LIMIT 1")).fetchone() is not None:
        raise IntegrityError(
            "Not all rows are of the tenant that they are brought back for",
            where=table.path,
            remedy="No backup is taken so: restore another snapshot, and find out who wrote this into the folder.",
        )


def _require_numbers_to_be_left(connection: Connection, table: Table) -> None:
    """Return when every row has a number that rows are given here in all their time: all tenants' go on after it."""
    for column in table.identities:
        others = sql.SQL("SELECT FROM pg_temp.copied WHERE {} NOT BETWEEN 1 AND {} LIMIT 1").format(
            sql.Identifier(column), sql.Literal(LARGEST_NUMBER)
        )
        if connection.execute(others).fetchone() is not None:
            raise IntegrityError(
                "A row has a number that none is given",
                where=f"{table.path}.{column}",
                remedy="No backup is taken so: restore another snapshot, and find out who wrote this into the folder.",
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
        schema, row["name"], columns, tuple(row["key"] or ()), frozenset(row["collated"] or ()),
        tuple(row["identities"] or ()), tenant_column if tenant_column in columns else "",
    )  # fmt: skip


def _set_form(connection: Connection, form: Mapping[str, str | None]) -> None:
    """Have values written and read so, to the end of the transaction; None: as the session began."""
    connection.execute(
        "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS form (name, value)",
        (list(form), list(form.values())),
    )


def _by_code_point(column: str, collated: frozenset[str]) -> sql.Composable:
    name = sql.Identifier(column)
    return sql.SQL('{} COLLATE "C"').format(name) if column in collated else name


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _of(table: Table, tenant: TenantId | None) -> sql.Composable:
    if tenant is None or not table.tenant_column:
        return sql.SQL("")
    return sql.SQL(" WHERE {} = {}").format(sql.Identifier(table.tenant_column), sql.Literal(tenant))
