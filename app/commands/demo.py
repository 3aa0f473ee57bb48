"""`imp demo`: the whole product on a sample company, with nothing to set up."""

from typing import Annotated

import typer


def demo(
    exit_: Annotated[
        bool,
        typer.Option("--exit", help="End after the last answer; status 1 if one was not as it should be."),
    ] = False,
) -> None:
    """Run everything on a sample company with a stand-in Confluence and Slack, and ask it things.

    Keeps its data under IMP_HOME/demo and starts afresh each time; stays up to be looked at until Ctrl-C.
    """
    import time

    from app.console import say
    from app.demo.run import Demo
    from core.log import configure_logging
    from core.settings import load_settings

    started = time.monotonic()
    settings = load_settings()
    settings = settings.model_copy(update={"imp_home": settings.imp_home / "demo"})
    settings.imp_home.mkdir(parents=True, exist_ok=True)
    configure_logging(log_format=settings.imp_log_format, level="ERROR")
    run = Demo(settings, lambda line: print(line, flush=True))
    try:
        context = run.start()
        run.sync(context)
        run.hear_meetings(context)
        problems = run.ask_all()
        problems += list(filter(None, [run.edit_and_ask(context)]))
        print(f"\n{time.monotonic() - started:.0f} s from start to last answer", flush=True)
        for problem in problems:
            print(f"NOT as it should be: {problem}", flush=True)
        run.show_addresses(context)
        if exit_:
            raise typer.Exit(1 if problems else 0)
        say("(Ctrl-C stops)")
        assert run.stack is not None
        run.stack.supervisor.run()
    finally:
        run.stop()
