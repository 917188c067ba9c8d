"""Of values that held one after the other, one is proposed for each time."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["values_of_their_times"])
