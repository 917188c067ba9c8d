"""The marts tell how fresh a feed's source is by its versions."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["freshness_of_feeds"])
