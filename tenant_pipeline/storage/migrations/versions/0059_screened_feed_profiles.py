"""What versions of feeds look like is kept without the names of persons that fields are called after."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["screened_feed_profiles"])
