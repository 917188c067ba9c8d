"""The first version: roles, registry, pipeline, knowledge base, governance, audit, row-level security."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL files of this version."""
    run_sql(
        revision,
        ["roles", "registry", "pipeline", "knowledge_base", "governance", "audit", "row_level_security"],
    )
