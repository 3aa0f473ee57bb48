"""`imp up`: run everything on this machine until Ctrl-C."""

from typing import Annotated

import typer


def up(
    check: Annotated[
        bool, typer.Option("--check", help="Start, check that all is well, stop again.")
    ] = False,
) -> None:
    """Start Postgres, Redis, workers, beat and web here, and keep them running.

    Postgres and Redis come from Python packages and live under IMP_HOME; DATABASE_URL and REDIS_URL name
    external ones instead. Ctrl-C stops all; the next start finds everything as it was.
    """
    from app import up as stack_of
    from app.console import say
    from app.readiness import wait_until_healthy
    from core.log import configure_logging
    from core.settings import load_settings

    settings = load_settings()
    configure_logging(log_format=settings.imp_log_format, level="ERROR")
    stack = stack_of.start(settings, say)
    try:
        wait_until_healthy(stack)
        say(f"IMP is up: {stack.settings.public_url}  (logs: {settings.imp_home / 'logs'}; Ctrl-C stops)")
        if not check:
            stack.supervisor.run()
    finally:
        say("stopping …")
        stack.stop()
        say("stopped")
