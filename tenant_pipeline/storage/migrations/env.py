"""Alembic's entry: run the migrations on the connection, and in the transaction, that `migrate` hands over."""

from alembic import context

from tenant_pipeline.storage.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
