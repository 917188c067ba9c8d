"""A refusal of the stage `extract` may be released."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["releases_from_extract"])
