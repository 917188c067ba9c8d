"""What the sources of a tenant are worth beside one another, kept between two estimates."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["source_standings"])
