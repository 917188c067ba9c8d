"""A tenant's login works on rows, and makes nothing that a mightier role would run."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["logins_of_tenants"])
