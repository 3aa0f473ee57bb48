"""What a command works with: the settings of the installation it speaks to, and its database.

Without DATABASE_URL a command speaks to the embedded installation that runs on IMP_HOME.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app.home import running
from core.errors import NotConfigured
from core.log import configure_logging
from core.settings import Settings, load_settings
from workers.context import Context, make_context


def installed_settings() -> Settings:
    """Settings with the URLs of the embedded installation filled in.

    Raises:
        NotConfigured: neither DATABASE_URL nor a running `imp up` on IMP_HOME.
    """
    settings = load_settings()
    if settings.database_url is not None and settings.redis_url is not None:
        return settings
    facts = running(settings.imp_home)
    if facts is None:
        raise NotConfigured(
            f"nothing runs on {settings.imp_home}: start `imp up` (or `make demo`), or set DATABASE_URL and REDIS_URL"
        )
    given = settings.model_dump(include=settings.model_fields_set)
    filled = {"database_url": facts["database_url"], "redis_url": facts["redis_url"]}
    if "imp_public_url" not in given:
        filled["imp_public_url"] = facts["url"]
    for name, value in facts.get("settings", {}).items():
        if name not in given:
            filled[name] = value
    return load_settings(**filled)


def open_context() -> Context:
    """The same context a worker has, for a command that runs in the foreground; it logs only what went wrong."""
    settings = installed_settings()
    is_curious = "imp_log_level" in settings.model_fields_set
    configure_logging(
        log_format=settings.imp_log_format, level=settings.imp_log_level if is_curious else "ERROR"
    )
    return make_context(settings)


@contextmanager
def open_session() -> Iterator[tuple[Context, Session]]:
    """One transaction of one command; workers are rung after its commit."""
    context = open_context()
    with context.factory.begin() as session:
        yield context, session
