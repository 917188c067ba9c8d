"""A tenant's login takes the locks that its own work takes."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["what_tenants_lock"])
