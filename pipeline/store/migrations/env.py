"""Runs the migrations on the connection that the store hands over."""

from __future__ import annotations

from alembic import context

from pipeline.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="trucewatch_version",
    transactional_ddl=True,
)
context.run_migrations()
