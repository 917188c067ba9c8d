"""What tenants declare of the personal data in their fields, and the changes of their digest keys."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["privacy_declarations"])
