"""A source knows what of it was last taken into the knowledge base."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["takings"])
