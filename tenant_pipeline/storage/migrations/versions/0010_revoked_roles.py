"""A role can be taken from a person again."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["revoked_roles"])
