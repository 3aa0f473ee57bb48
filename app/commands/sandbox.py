"""`imp sandbox`: the stand-in Confluence and Slack, for trying things out."""

from pathlib import Path
from typing import Annotated

import typer


def sandbox(
    confluence_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of the stand-in Confluence.")
    ] = 8090,
    slack_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the stand-in Slack.")] = 8085,
    url: Annotated[
        str, typer.Option(help="Where Slack's events are delivered.")
    ] = "http://127.0.0.1:8080/slack/events",
    company: Annotated[
        Path | None, typer.Option(help="Folder with company.yaml; default: the sample company.")
    ] = None,
) -> None:
    """Run a Confluence and a Slack that speak the real protocols, with pages to look at, until Ctrl-C."""
    from app.console import say
    from app.home import Home, is_free
    from app.sandbox_processes import environment_for, sandbox_children
    from app.supervisor import Supervisor
    from core.errors import NotConfigured
    from core.log import configure_logging
    from core.settings import load_settings

    settings = load_settings()
    configure_logging(log_format=settings.imp_log_format, level="ERROR")
    for option, port in (("--confluence-port", confluence_port), ("--slack-port", slack_port)):
        if not is_free(port):
            raise NotConfigured(f"port {port} is taken: give another with {option}")
    if company is not None and not (company / "company.yaml").is_file():
        raise NotConfigured(f"there is no company.yaml in {company}")
    supervisor = Supervisor(Home(settings.imp_home / "sandbox").path / "logs", say)
    supervisor.stop_on_signals()
    try:
        for child in sandbox_children(confluence_port, slack_port, url, company):
            supervisor.start(child)
        say(
            f"Confluence: http://127.0.0.1:{confluence_port}/   Slack: http://127.0.0.1:{slack_port}/   (Ctrl-C stops)"
        )
        say("Settings for `imp up` against them:")
        for name, value in environment_for(confluence_port, slack_port).items():
            print(f"export {name}={value}")
        supervisor.run()
    finally:
        supervisor.stop()
