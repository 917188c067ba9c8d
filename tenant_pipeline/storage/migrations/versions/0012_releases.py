"""Releases and the history of publishing them."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["releases"])
