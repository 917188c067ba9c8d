"""Data protection: records of processing activities, breaches, and erasure."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL files of this version."""
    run_sql(revision, ["processing_records", "breaches", "erasure"])
