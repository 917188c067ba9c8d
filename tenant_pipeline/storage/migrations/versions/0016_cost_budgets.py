"""What a tenant may cost in a month."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["cost_budgets"])
