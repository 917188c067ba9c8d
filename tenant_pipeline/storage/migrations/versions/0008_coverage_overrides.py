"""Who answers for a dimension of the coverage score."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["coverage_overrides"])
