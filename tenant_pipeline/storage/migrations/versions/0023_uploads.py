"""Files that are on their way."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["uploads"])
