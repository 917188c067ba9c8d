"""Statements of an entity lie together in the primary key."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["statements_by_entity"])
