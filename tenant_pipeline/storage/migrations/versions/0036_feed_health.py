"""How a feed is, and what of it was told last."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["feed_health"])
