"""The shared document of each workspace."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["shared_state"])
