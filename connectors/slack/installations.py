"""Workspaces that installed the bot: slack_sdk's stores on our Postgres, with every token encrypted at rest.

Knows the three tables by slack_sdk's own description of them, and no setting.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import Dialect, Engine, Text, TypeDecorator, select

from core.errors import NotConfigured

STATE_LIVES_S = 600
SECRET_COLUMNS = (
    "bot_token",
    "bot_refresh_token",
    "user_token",
    "user_refresh_token",
    "incoming_webhook_url",
)


class Sealed(TypeDecorator[str]):
    """Text that is encrypted on its way into the database and decrypted on its way out."""

    impl = Text
    cache_ok = False

    def __init__(self, seal: MultiFernet) -> None:
        super().__init__()
        self._seal = seal

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self._seal.encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        try:
            return None if value is None else self._seal.decrypt(value.encode()).decode()
        except InvalidToken as exc:
            raise NotConfigured(
                "no key in SLACK_TOKEN_KEY opens this workspace's token: put the old key back behind the new one"
            ) from exc


class SealedInstallationStore(SQLAlchemyInstallationStore):
    """slack_sdk's store whose secret columns are `Sealed`."""

    def __init__(self, client_id: str, engine: Engine, keys: str) -> None:
        super().__init__(client_id=client_id, engine=engine)
        seal = seal_of(keys)
        for table in (self.bots, self.installations):
            for name in SECRET_COLUMNS:
                if name in table.c:
                    table.c[name].type = Sealed(seal)

    def bot_of(self, enterprise_id: str | None, team_id: str | None) -> Bot | None:
        """The bot of a workspace, also where a whole organization installed it."""
        bot = self.find_bot(enterprise_id=enterprise_id, team_id=team_id)
        if bot is None and enterprise_id is not None:
            bot = self.find_bot(enterprise_id=enterprise_id, team_id=None, is_enterprise_install=True)
        return bot

    def bot_of_team(self, team_id: str) -> Bot | None:
        """The newest bot of a workspace whose organization is not known."""
        columns = self.bots.c
        newest = (
            select(self.bots)
            .where(columns.client_id == self.client_id, columns.team_id == team_id)
            .where(columns.bot_token.is_not(None))
            .order_by(columns.installed_at.desc(), columns.id.desc())
        )
        with self.engine.connect() as connection:
            row = connection.execute(newest.limit(1)).mappings().first()
        return None if row is None else self.build_bot_entity(row)  # type: ignore[no-untyped-call]

    def teams(self) -> Sequence[tuple[str, str]]:
        """(id, name) of every workspace that has a bot, by name."""
        columns = self.bots.c
        statement = (
            select(columns.team_id, columns.team_name)
            .where(columns.client_id == self.client_id, columns.team_id.is_not(None))
            .distinct()
        )
        with self.engine.connect() as connection:
            found = {row.team_id: row.team_name or row.team_id for row in connection.execute(statement)}
        return sorted(found.items(), key=lambda one: one[1].lower())

    def forget(self, team_id: str, before: datetime) -> int:
        """Delete what is kept of a workspace from up to this second, whoever installed it. Returns how many bots went.

        Slack tells times in whole seconds: what was installed within that second went with it.
        """
        end = before.astimezone(UTC).replace(microsecond=0, tzinfo=None) + timedelta(seconds=1)
        with self.engine.begin() as connection:
            for table in (self.installations, self.bots):
                mine = (table.c.client_id == self.client_id) & (table.c.team_id == team_id)
                mine &= table.c.installed_at < end
                gone = connection.execute(table.delete().where(mine))
        return gone.rowcount


def state_store(engine: Engine) -> SQLAlchemyOAuthStateStore:
    """Begun installations; each may be ended once, within ten minutes."""
    return SQLAlchemyOAuthStateStore(expiration_seconds=STATE_LIVES_S, engine=engine)


def seal_of(keys: str) -> MultiFernet:
    """Raises NotConfigured when one of the comma-separated keys is none."""
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
    except ValueError as exc:
        raise NotConfigured(
            "SLACK_TOKEN_KEY is no Fernet key: 32 random bytes in URL-safe base64, as cryptography's Fernet.generate_key makes"
        ) from exc
