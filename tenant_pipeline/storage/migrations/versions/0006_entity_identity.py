"""Entities that can be put together and taken apart again."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["entity_identity"])
