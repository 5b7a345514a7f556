"""How Alembic runs here: always by `corpid.storage.migrations`, never with a configuration file.

On SQLite over a connection that is given, in one transaction; for PostgreSQL only the SQL is
written out, and `migrations` runs it through the same driver as the service, in one transaction.
"""

from alembic import context
from corpid.storage.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(
        dialect_name="postgresql",
        target_metadata=metadata,
        literal_binds=True,
        transactional_ddl=False,  # the caller holds the transaction
    )
    context.run_migrations()
else:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,
        render_as_batch=True,  # SQLite alters a table by making it anew
    )
    with context.begin_transaction():
        context.run_migrations()
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration would leave references to nothing: {broken[:5]}")
