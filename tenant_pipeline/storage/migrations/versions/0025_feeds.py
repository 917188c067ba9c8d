"""Feeds, their versions, and what people decided of those that were held."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["feeds"])
