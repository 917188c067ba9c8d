"""A place of one's own for the tables that a large source fills, such as a file system that compresses.

`BENCHMARK_TABLESPACE` names a folder, which the database server's uid can enter. The tables, and the indexes that are
filled in their order, lie there; indexes that are filled here and there stay where the database is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.embedded_postgres import SERVER_UID

TABLES = ("statements", "entity_blocking_keys", "entity_features", "entity_members", "entities", "entity_keys")
INDEXES = ("statements_pkey", "entity_blocking_keys_pkey")


@contextmanager
def tablespace() -> Iterator[Path | None]:
    """A new folder in that of `BENCHMARK_TABLESPACE` that the server may write to, gone after the block; else None."""
    given = os.environ.get("BENCHMARK_TABLESPACE")
    if not given:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="tablespace-", dir=given) as name:
        if os.geteuid() == 0:
            os.chown(name, SERVER_UID, -1)
        yield Path(name)


def lay_large_tables_in(runtime: Runtime, folder: Path) -> None:
    """Lay the empty tables in `folder`.

    Files are extended by writing zeroes: "current versions of BTRFS are known to disable compression" for those that
    `posix_fallocate` has extended (PostgreSQL 18, `file_extend_method`).
    """
    with runtime.database.administration() as connection:
        connection.autocommit = True
        connection.execute("ALTER SYSTEM SET file_extend_method = 'write_zeros'")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(sql.SQL("CREATE TABLESPACE large LOCATION {}").format(sql.Literal(str(folder))))
        for kind, names in (("TABLE", TABLES), ("INDEX", INDEXES)):
            for name in names:
                statement = sql.SQL("ALTER {} {} SET TABLESPACE large")
                connection.execute(statement.format(sql.SQL(kind), sql.Identifier("runtime", name)))
