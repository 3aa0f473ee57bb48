"""Alembic's entry: runs the migrations on the connection or URL it is given; knows nothing else."""

import importlib
import pkgutil

from alembic import context
from sqlalchemy import Connection

from core import tables
from core.db import make_engine
from core.tables.base import Base

for module in pkgutil.iter_modules(tables.__path__):
    importlib.import_module(f"{tables.__name__}.{module.name}")

# One partial HNSW index per embedding model is made when the model is registered, not by a migration.
PER_MODEL_INDEX = "ix_embeddings_hnsw_"


def include_object(
    _object: object, name: str | None, type_: str, _reflected: bool, _compare_to: object
) -> bool:
    return not (type_ == "index" and name is not None and name.startswith(PER_MODEL_INDEX))


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=include_object,
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = make_engine(context.config.attributes["database_url"])
    with engine.connect() as own:
        migrate(own)
    engine.dispose()
