"""`imp doctor`: every dependency, credential, scope, model and queue in one line, with what to do."""

import typer

from app.console import AsJson


def doctor(as_json: AsJson = False) -> None:
    """Check everything; status 1 when something is wrong."""
    import json
    from dataclasses import asdict

    from app.doctor import examine
    from core.log import configure_logging

    configure_logging(level="ERROR")
    checks = []
    for check in examine():
        checks.append(check)
        if not as_json:
            mark = "ok  " if check.problem is None else "FAIL"
            print(f"{mark}  {check.name:<14} {check.problem or check.note}", flush=True)
    if as_json:
        print(json.dumps([asdict(one) for one in checks], indent=2))
    if any(one.problem for one in checks):
        raise typer.Exit(1)
