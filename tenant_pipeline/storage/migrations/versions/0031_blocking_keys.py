"""Blocking keys by their digests, in a narrow table of their own."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["blocking_keys"])
