"""Which sources are on their way, of all tenants."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["on_their_way"])
