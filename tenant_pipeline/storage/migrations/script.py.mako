"""${message}."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL files of this version."""
    run_sql(${repr(up_revision)}, [])
