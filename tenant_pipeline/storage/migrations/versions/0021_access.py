"""Tokens taken back, and answers to requests that may be asked again."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0021"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["access"])
