"""Approval requests, decisions and their steps, people's keys, and the tenants' changes of state."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["approvals"])
