"""Statements are held to sources that there are once a command, not once a row."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["statements_of_known_sources"])
