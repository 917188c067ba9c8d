"""Whether the database's server can write to its disk, tried in a way that changes nothing."""

from __future__ import annotations

from typing import Any

import psycopg

# More rows than the memory that they may take: they go to a temporary file, which is gone with the statement.
_SPILL = "SELECT count(*) FROM generate_series(1, 30000)"


def try_room(connection: psycopg.Connection[Any]) -> None:
    """Have the server write half a megabyte and forget it. Raises psycopg.Error, DiskFull where there is no room."""
    connection.execute("SET LOCAL work_mem = '64kB'")
    connection.execute(_SPILL)
