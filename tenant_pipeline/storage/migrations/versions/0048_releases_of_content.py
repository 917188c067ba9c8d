"""A release from quarantine is of what was looked at."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["releases_of_content"])
