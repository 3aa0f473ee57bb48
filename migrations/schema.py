"""Bring a database to the newest schema, or say how far it is from it; Alembic does the work."""

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

INI = Path(__file__).with_name("alembic.ini")
ADVISORY_LOCK = 0x1399  # any constant: one migration at a time per database


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run what is missing. Safe to call from several processes at once: they take turns."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()
        try:
            command.upgrade(_config(connection), revision)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
            connection.commit()


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Undo migrations down to `revision`; drops data."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def current(engine: Engine) -> tuple[str | None, str | None]:
    """(revision of the database, newest revision there is)."""
    with engine.connect() as connection:
        now = MigrationContext.configure(connection).get_current_revision()
    return now, ScriptDirectory.from_config(_config(None)).get_current_head()


def check(engine: Engine) -> None:
    """Raise alembic's `CommandError` when models and migrations disagree."""
    with engine.begin() as connection:
        command.check(_config(connection))


def _config(connection: object) -> Config:
    config = Config(str(INI), stdout=io.StringIO())
    config.attributes["connection"] = connection
    return config
