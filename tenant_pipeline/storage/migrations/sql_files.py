"""The SQL files of a migration."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from alembic import op


def run_sql(version: str, subjects: Sequence[str]) -> None:
    """Run `sql/<version>_<subject>.sql` for each subject, in this order."""
    folder = files("tenant_pipeline.storage.migrations").joinpath("sql")
    for subject in subjects:
        statement = folder.joinpath(f"{version}_{subject}.sql").read_text(encoding="utf-8")
        op.get_bind().connection.driver_connection.execute(statement)  # type: ignore[union-attr]
