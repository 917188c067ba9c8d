"""What a tenant's login writes is of a form that those who read it of all tenants can take."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["bounds_of_what_tenants_write"])
