"""What was refused and released by a person."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["quarantine_releases"])
