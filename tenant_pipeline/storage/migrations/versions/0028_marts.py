"""The schema of the governance marts, their builder's login, and what is measured for them."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["marts"])
