"""What was counted over a tenant's knowledge base is kept."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["coverage_counts"])
