"""The serving tables of a tenant: filled before a release is published, read by the tenant's instance."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from itertools import islice
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256, sha256_of_bytes
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.release.difference import label_of
from tenant_pipeline.core.release.search_grams import search_grams
from tenant_pipeline.storage.database import PLATFORM, Connection

TABLES = ("release_documents", "releases", "release_entities", "live_release", "instance_flags")
VIEWS = ("live", "live_documents", "flags")
OWNER = "tenant_runtime_owner"
ROWS_AT_ONCE = 1_000
_SEPARATOR = "\x1f"


def create_serving_tables(connection: Connection, schema: str) -> None:
    """Make the serving tables and views in the tenant's schema, where they are missing. As the administration role.

    The platform may add to them and move the live pointer; the tenant's own login reads the views. Doing it twice
    changes nothing, and the second time locks no table that somebody reads. Raises IntegrityError where somebody else
    made one of them: what hangs on it would run as whoever writes to it.
    """
    text = files("tenant_pipeline.storage").joinpath("serving.sql").read_text(encoding="utf-8")
    made_of = sha256_of_bytes(text.encode())
    name = sql.Identifier(schema)
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('serving tables of ' || %s, 0))", (schema,))
    connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(name, sql.Identifier(OWNER)))
    _require_ours(connection, schema)
    if _made_of(connection, schema) != made_of:
        connection.execute(sql.SQL(text).format(schema=name))
        for relation in (*TABLES, *VIEWS):
            kind = sql.SQL("VIEW" if relation in VIEWS else "TABLE")
            identifier = sql.Identifier(relation)
            connection.execute(
                sql.SQL("ALTER {} {}.{} OWNER TO {}").format(kind, name, identifier, sql.Identifier(OWNER))
            )
        connection.execute(sql.SQL("COMMENT ON TABLE {}.live_release IS {}").format(name, sql.Literal(made_of)))
    platform = sql.Identifier(PLATFORM)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, platform))
    for relation, privileges in (
        ("release_documents", "INSERT"),
        ("release_entities", "INSERT"),
        ("releases", "INSERT, SELECT, UPDATE (published_at)"),
        ("live_release", "SELECT, INSERT, UPDATE"),
        ("instance_flags", "SELECT, INSERT, UPDATE, DELETE"),
    ):
        connection.execute(
            sql.SQL("GRANT " + privileges + " ON {}.{} TO {}").format(name, sql.Identifier(relation), platform)
        )
    grant_reading(connection, schema, schema)


def _require_ours(connection: Connection, schema: str) -> None:
    strange = connection.execute(
        """
        SELECT relname FROM pg_class
         WHERE relnamespace = %s::regnamespace AND relname = ANY(%s) AND relowner <> %s::regrole
        """,
        (sql.Identifier(schema).as_string(connection), [*TABLES, *VIEWS], OWNER),
    ).fetchone()
    if strange is not None:
        raise IntegrityError(
            "A serving table was made by somebody else",
            where=f"{schema}.{strange['relname']}",
            remedy="Find out who made it; drop it as the database's administrator, and try again.",
        )


def _made_of(connection: Connection, schema: str) -> str | None:
    """The digest of the definition that the tables were made by; None where there are none."""
    row = connection.execute(
        "SELECT obj_description(to_regclass(format('%%I.live_release', %s::text)), 'pg_class') AS made_of", (schema,)
    ).fetchone()
    return row["made_of"] if row else None


def drop_serving_tables(connection: Connection, schema: str) -> None:
    """Take the serving tables, their views and what was granted for them away. As the administration role."""
    name = sql.Identifier(schema)
    for view in VIEWS:
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {}.{}").format(name, sql.Identifier(view)))
    for table in TABLES[::-1]:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}.{} CASCADE").format(name, sql.Identifier(table)))
    for role in (OWNER, PLATFORM):
        connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(name, sql.Identifier(role)))


def grant_reading(connection: Connection, schema: str, role: str) -> None:
    """Let a role read what is live in the schema, and nothing else of it."""
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), sql.Identifier(role)))
    for view in VIEWS:
        connection.execute(
            sql.SQL("GRANT SELECT ON {}.{} TO {}").format(
                sql.Identifier(schema), sql.Identifier(view), sql.Identifier(role)
            )
        )


def is_there(connection: Connection, schema: str) -> bool:
    """Whether the schema has its serving tables."""
    return (
        connection.execute(
            """
            SELECT FROM pg_class WHERE relname = 'live_release'
               AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
            """,
            (schema,),
        ).fetchone()
        is not None
    )


def has_release(connection: Connection, schema: str, release: Sha256) -> bool:
    """Whether a release's rows are in the schema."""
    found = connection.execute(
        sql.SQL("SELECT FROM {}.releases WHERE release_digest = %s").format(sql.Identifier(schema)), (release,)
    ).fetchone()
    return found is not None


def load_release(
    connection: Connection,
    schema: str,
    release: Mapping[str, Any],
    rows: Iterable[Mapping[str, str]],
    at: datetime,
) -> int:
    """Write a release's rows, in bounded memory, and return how many entities it has. No reader sees them yet.

    `rows` have canonical_id, type, document_digest and document (JSON). A document that an earlier release has is not
    written again.
    """
    name = sql.Identifier(schema)
    connection.execute(
        sql.SQL(
            "INSERT INTO {}.releases (release_digest, version, template_version, entities, published_at)"
            " VALUES (%(release)s, %(version)s, %(template_version)s, %(entities)s, %(at)s)"
        ).format(name),
        {**release, "at": at},
    )
    written = 0
    for batch in _batches(rows):
        documents = [json.loads(row["document"]) for row in batch]
        connection.execute(
            sql.SQL(
                "INSERT INTO {}.release_documents (document_digest, canonical_id, type, label, document, grams)"
                " SELECT digest, canonical_id, type, label, document::jsonb, string_to_array(grams, %s)"
                " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])"
                " AS row (digest, canonical_id, type, label, document, grams) ON CONFLICT DO NOTHING"
            ).format(name),
            (
                _SEPARATOR,
                [row["document_digest"] for row in batch],
                [row["canonical_id"] for row in batch],
                [row["type"] for row in batch],
                [label_of(document) for document in documents],
                [row["document"] for row in batch],
                [_SEPARATOR.join(search_grams(_names(document))) for document in documents],
            ),
        )
        connection.execute(
            sql.SQL(
                "INSERT INTO {}.release_entities (release_digest, canonical_id, document_digest)"
                " SELECT %s, * FROM unnest(%s::text[], %s::text[])"
            ).format(name),
            (release["release"], [row["canonical_id"] for row in batch], [row["document_digest"] for row in batch]),
        )
        written += len(batch)
    return written


def note_published(connection: Connection, schema: str, release: Sha256, at: datetime) -> None:
    """Say when a release that is in the schema was published."""
    connection.execute(
        sql.SQL("UPDATE {}.releases SET published_at = %s WHERE release_digest = %s").format(sql.Identifier(schema)),
        (at, release),
    )


def switch_release(connection: Connection, schema: str, release: Sha256, at: datetime) -> None:
    """Make a release that is in the schema the one that readers see."""
    connection.execute(
        sql.SQL(
            "INSERT INTO {}.live_release (release_digest, switched_at) VALUES (%(release)s, %(at)s)"
            " ON CONFLICT (single) DO UPDATE SET release_digest = %(release)s, switched_at = %(at)s"
        ).format(sql.Identifier(schema)),
        {"release": release, "at": at},
    )


def write_flags(connection: Connection, schema: str, flags: Mapping[str, Any]) -> None:
    """Make these the flags that the instance reads. What stands already is not touched."""
    name = sql.Identifier(schema)
    connection.execute(sql.SQL("DELETE FROM {}.instance_flags WHERE flag <> ALL(%s)").format(name), (list(flags),))
    for flag, value in flags.items():
        connection.execute(
            sql.SQL(
                "INSERT INTO {name}.instance_flags (flag, value) VALUES (%(flag)s, %(value)s)"
                " ON CONFLICT (flag) DO UPDATE SET value = %(value)s, changed_at = now()"
                " WHERE instance_flags.value <> %(value)s"
            ).format(name=name),
            {"flag": flag, "value": Jsonb(value)},
        )


def _batches(rows: Iterable[Mapping[str, str]]) -> Iterator[Sequence[Mapping[str, str]]]:
    left = iter(rows)
    while batch := list(islice(left, ROWS_AT_ONCE)):
        yield batch


def _names(document: Mapping[str, Any]) -> str:
    return "\n".join(name for names in document["names"].values() for name in names)
