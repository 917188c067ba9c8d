"""Indexes of the audit log by person, action, subject and time."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["audit_log_indexes"])
