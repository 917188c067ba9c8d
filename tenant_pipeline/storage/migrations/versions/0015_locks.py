"""A tenant's login locks its own tenant, and neither another's nor a whole table."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["locks"])
