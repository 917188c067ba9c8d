"""A source can be withdrawn."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["withdrawn_sources"])
