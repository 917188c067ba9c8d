"""What an uploaded file was called is kept no longer than its upload."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["paths_of_uploads"])
