"""A gate's verdict belongs to the judged stage's output."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["gate_outputs"])
