"""Authority by statement: what an AI wrote has the lowest tier, whatever source it lies in."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the view of statements anew."""
    run_sql(revision, ["ai_authority"])
