"""What a command says when it fails: one line and a status; traces only for those who asked for them."""

import sys
import traceback
from collections.abc import Iterator

from core.errors import ImpError, NotConfigured

FAILED = 1
BAD_CONFIGURATION = 2
SCHEMA_STATES = {"42P01", "42703", "42704", "42883"}  # undefined table, column, object, function


def report(exc: Exception) -> int:
    """Print the failure on stderr and return the status to leave with."""
    if not isinstance(exc, ImpError) and _is_debugging():
        traceback.print_exception(exc)
    print(f"imp: {describe(exc)}", file=sys.stderr)
    return BAD_CONFIGURATION if isinstance(exc, NotConfigured) else FAILED


def describe(exc: Exception) -> str:
    """What is wrong and what to do. Texts of foreign exceptions may carry data: only those of the server are told."""
    if isinstance(exc, ImpError):
        return str(exc)
    if isinstance(exc, OSError) and not isinstance(exc, ConnectionError):
        return f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc.strerror or exc)
    server = next(_of_postgres(exc), None)
    if server is None:
        return f"unexpected {type(exc).__name__}; IMP_LOG_LEVEL=DEBUG shows where"
    if getattr(server, "sqlstate", None) in SCHEMA_STATES:
        return "the database's schema is not the one of this version: run `imp db upgrade`"
    said = str(server).strip().splitlines()
    if is_unreachable(exc):
        return f"Postgres does not answer: {said[0] if said else 'no reason given'}; check DATABASE_URL or `imp up`"
    return f"database error ({type(server).__name__}); IMP_LOG_LEVEL=DEBUG shows where"


def is_unreachable(exc: BaseException) -> bool:
    """Postgres is away, rather than asked something wrong."""
    from core.db import is_disconnect

    return is_disconnect(exc)


def _of_postgres(exc: BaseException | None) -> Iterator[BaseException]:
    """The server's own errors among the causes."""
    while exc is not None:
        if type(exc).__module__.partition(".")[0] == "psycopg":
            yield exc
        exc = getattr(exc, "orig", None) or exc.__cause__ or exc.__context__


def _is_debugging() -> bool:
    from core.settings import load_settings

    try:
        return load_settings().imp_log_level == "DEBUG"
    except NotConfigured:
        return False
