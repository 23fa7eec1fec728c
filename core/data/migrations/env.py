"""Run by Alembic for every history: the runner hands over the connection and the history."""

from alembic import context

from core.data.db import Base

config = context.config
history = config.attributes["history"]

context.configure(
    connection=config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=history.version_table,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
