"""Who answers for the installation, and so holds a role of the platform in every new tenant."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0035"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["platform_appointments"])
