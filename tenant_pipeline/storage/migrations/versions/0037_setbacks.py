"""Why a source does not go on, and when it is tried again."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["setbacks"])
