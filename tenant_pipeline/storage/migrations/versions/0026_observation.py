"""What an operator watches: how much waits, since when, and what caused it."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["observation"])
