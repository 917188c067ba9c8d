"""When asking a feed last came to an end."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["feeds_asked"])
