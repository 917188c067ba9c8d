"""Instances of tenants: their logins, and what was done to bring them up and take them down."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["provisioning"])
