"""What was said of a source can be put right."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["said_of_sources"])
