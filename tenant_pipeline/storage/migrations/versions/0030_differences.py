"""A version of a source writes only what it changes: statements are retired, entities that are the same left alone."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["differences"])
