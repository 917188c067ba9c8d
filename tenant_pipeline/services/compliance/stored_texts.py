"""Every text that is kept of a tenant outside its encrypted raw zone, place by place, in bounded memory.

The database's rows, the document that people edit together, what the instance serves, the plain outputs of the stages,
and the installation's logs and pages. Who decided something, or was given a role or a decision, is named on the record
on purpose: the columns and fields that hold the names of people in their roles are not read.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, LiteralString

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.roles import list_roles
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import read_document
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.database import Connection, login_of
from tenant_pipeline.storage.encrypted_file import open_encrypted
from tenant_pipeline.storage.keys import KeysDestroyedError

ROWS_AT_ONCE = 2_000
CHARACTERS_AT_ONCE = 1_000_000
OVERLAP = 256
"""Characters of a file that are read twice, so that nothing hides where one piece ends and the next begins."""

PEOPLE = frozenset(
    {
        "accepted_by", "actor", "approver", "built_by", "closed_by", "created_by", "decided_by", "done_by",
        "granted_by", "lifted_by", "on_behalf_of", "opened_by", "overridden_by", "person", "received_by", "released_by",
        "requested_by", "retired_by", "revoked_by", "signed_by", "signer", "to_person", "used_by",
    }
)  # fmt: skip
HANDED_TO = frozenset({"to"})
TELLING_WHOM = frozenset({"audit_log", "idempotent_requests"})
"""Tables whose JSON names with `HANDED_TO` to whom a decision was handed; elsewhere that may be anything."""
READ_AS: Mapping[tuple[str, str], LiteralString] = {
    ("audit_log", "subject"): "CASE WHEN action !~ '^(person-key|role|session|tokens?)[.]' THEN subject END AS subject",
    ("workspace_presence", "state"): "convert_to(state, 'UTF8') AS state",
}
"""Columns not read as they are: the subject of these actions is a person, and a text that is JSON names one."""
NO_TEXTS = frozenset({"crdt_doc", "public_key", "signature", "update"})
"""Columns of bytes that are no texts: keys, signatures, and the shared document, which is read as a whole."""

ENCRYPTED_ZONES = frozenset({"raw", "uploads"})
FILES = "files: "
"""How the place of a log or page begins."""
LOGS = frozenset({".err", ".html", ".jsonl", ".log", ".out"})

Texts = tuple[str, Sequence[str]]
"""A place, and some of the texts in it."""


def stored_texts(runtime: Runtime, tenant: TenantId) -> Iterator[Texts]:
    """Every text of every store, a bounded number at a time."""
    yield from _database(runtime, tenant)
    yield from _document(runtime, tenant)
    yield from _serving(runtime, tenant)
    yield from _objects(runtime, tenant)
    yield from _logs(runtime)


def _database(runtime: Runtime, tenant: TenantId) -> Iterator[Texts]:
    with runtime.database.tenant(tenant) as connection:
        tables = connection.execute(
            """
            SELECT relation.relname AS name, array_agg(attribute.attname ORDER BY attribute.attnum) AS columns
              FROM pg_catalog.pg_class AS relation
              JOIN pg_catalog.pg_attribute AS attribute
                ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
               AND attribute.atttypid
                   IN ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype, 'bytea'::regtype)
             WHERE relation.relnamespace = 'runtime'::regnamespace AND relation.relkind IN ('r', 'p')
               AND pg_catalog.has_table_privilege(relation.oid, 'SELECT')
               AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS bound
                            WHERE bound.attrelid = relation.oid AND bound.attname = 'tenant_id')
             GROUP BY relation.relname ORDER BY relation.relname
            """
        ).fetchall()
        for table in tables:
            columns = [name for name in table["columns"] if name not in PEOPLE | NO_TEXTS | {"tenant_id"}]
            if columns:
                selected = sql.SQL(", ").join(_selected(table["name"], name) for name in columns)
                query = sql.SQL("SELECT {} FROM runtime.{} WHERE tenant_id = %s").format(
                    selected, sql.Identifier(table["name"])
                )
                aside = PEOPLE | HANDED_TO if table["name"] in TELLING_WHOM else PEOPLE
                yield from _rows(connection, query, (tenant,), f"database: {table['name']}", aside)


def _selected(table: str, column: str) -> sql.Composable:
    read_as = READ_AS.get((table, column))
    return sql.Identifier(column) if read_as is None else sql.SQL(read_as)


def _document(runtime: Runtime, tenant: TenantId) -> Iterator[Texts]:
    """What people have typed into the workspace, but for what is no more than the name of one who has a role here."""
    people = {row["person"] for row in list_roles(runtime, tenant)}
    texts = [text for text in _leaves(read_document(runtime, tenant), aside=frozenset()) if text not in people]
    if texts:
        yield "database: tenant_workspaces.crdt_doc", texts


def _serving(runtime: Runtime, tenant: TenantId) -> Iterator[Texts]:
    schema = login_of(tenant)
    with runtime.database.administration() as connection:
        if serving.is_there(connection, schema):
            query = sql.SQL("SELECT label, document, grams FROM {}.release_documents").format(sql.Identifier(schema))
            yield from _rows(connection, query, (), "served: release_documents")


def _rows(
    connection: Connection,
    query: sql.Composed,
    given: tuple[str, ...],
    place: str,
    aside: frozenset[str] = PEOPLE,
) -> Iterator[Texts]:
    with connection.cursor(name="stored_texts") as cursor:
        cursor.execute(query, given)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for column in rows[0]:
                texts = [text for row in rows for text in _leaves(row[column], aside)]
                if texts:
                    yield f"{place}.{column}", texts


def _objects(runtime: Runtime, tenant: TenantId) -> Iterator[Texts]:
    for name, _ in runtime.objects.listed(tenant_id(tenant)):
        zone = name.split("/")[1]
        if zone in ENCRYPTED_ZONES:
            continue
        # Some go while others are read; and what an erasure has left in a bucket, nobody can read any more.
        with suppress(FileNotFoundError, KeysDestroyedError), _plain(runtime, tenant, name) as file:
            is_table = file.read(4) == b"PAR1"
            file.seek(0)
            yield from _table(file, zone) if is_table else _file(file, f"objects: {zone}")


def _plain(runtime: Runtime, tenant: TenantId, name: str) -> BinaryIO:
    """What a file of a plain zone holds; outside this machine that, too, is encrypted.

    Raises FileNotFoundError where it is gone by now, KeysDestroyedError.
    """
    if runtime.objects.private:
        return runtime.objects.open(name)
    key, digest = runtime.keys.raw_zone_key(tenant), bytes.fromhex(name.rpartition("/")[2])
    return open_encrypted(runtime.objects.open(name), key, digest, "stage outputs")


def _table(file: BinaryIO, zone: str) -> Iterator[Texts]:
    with pq.ParquetFile(file, pre_buffer=False) as table:
        columns = [
            field.name
            for field in table.schema_arrow
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        for batch in table.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns):
            for name in columns:
                texts = [text for text in batch.column(name).to_pylist() if text]
                if texts:
                    yield f"objects: {zone}, column {name}", texts


def _logs(runtime: Runtime) -> Iterator[Texts]:
    home = runtime.settings.home
    aside = (runtime.objects.staging, runtime.settings.objects_directory, runtime.settings.keys_directory)
    for folder, folders, names in os.walk(home, onerror=_raise_unless_left_aside):
        folders[:] = [name for name in sorted(folders) if Path(folder, name) not in aside]
        for path in (Path(folder, name) for name in sorted(names)):
            if path.suffix in LOGS and path.is_file():
                with suppress(FileNotFoundError), path.open("rb") as file:  # some go while others are read
                    yield from _file(file, f"{FILES}{path.relative_to(home).parts[0]}/*{path.suffix}")


def _raise_unless_left_aside(error: OSError) -> None:
    """A folder that is gone meanwhile has no texts, and one that is closed to us is not ours (`lost+found`)."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        raise error


def _file(file: BinaryIO, place: str) -> Iterator[Texts]:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace")
    before = ""
    while piece := text.read(CHARACTERS_AT_ONCE):
        yield place, (before + piece).splitlines()
        before = piece[-OVERLAP:]


def _leaves(value: Any, aside: frozenset[str] = PEOPLE) -> Iterator[str]:
    """The texts in a value of JSON, names of fields included, but not what the fields `aside` hold: people.

    Bytes are JSON, or else text as it is.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        text = value.decode(errors="replace")
        try:
            yield from _leaves(json.loads(text), aside)
        except ValueError:
            yield text
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            if name not in aside:
                yield from _leaves(each, aside)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, aside)
