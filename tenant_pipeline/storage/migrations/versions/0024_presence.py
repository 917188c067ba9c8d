"""Who is where, across server processes."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["presence"])
