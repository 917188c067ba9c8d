"""A tenant's login notes in its audit log what it does itself."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["entries_of_tenants"])
