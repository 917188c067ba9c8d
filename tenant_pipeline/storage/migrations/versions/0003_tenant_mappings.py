"""Mappings that tenants accept for their own tables."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["tenant_mappings"])
