"""How long what is superseded is kept, and what may not be pruned or erased until a hold is lifted."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["retention"])
