"""What people decide about conflicts, and what governance may read across tenants."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL files of this version."""
    run_sql(revision, ["conflict_decisions", "governance_reads"])
