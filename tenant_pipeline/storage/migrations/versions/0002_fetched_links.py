"""The links that were fetched, with what tells their servers which version we have."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["fetched_links"])
