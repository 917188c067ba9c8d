"""What is kept of a home is written with it."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["links_of_known_homes"])
