"""Feature flags, marketplace listings and cost alerts of a tenant."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["flags_listings_and_cost"])
