"""What a single file is called is screened."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["screened_file_names"])
