"""Published templates."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["templates"])
