"""One person has one word on a request, whoever speaks it."""

from tenant_pipeline.storage.migrations.sql_files import run_sql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file of this version."""
    run_sql(revision, ["whose_word_it_is"])
