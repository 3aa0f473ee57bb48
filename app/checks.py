"""One check a dependency, each saying in one line what is wrong and how to mend it.

`/readyz` runs the few that this process needs to answer; `imp doctor` runs all.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import ImpError
from migrations import schema
from workers.context import Context


@dataclass(frozen=True, slots=True)
class Check:
    """`problem` is None when all is well; `note` says what was found."""

    name: str
    problem: str | None = None
    note: str = ""


def ready_checks(context: Context) -> Iterator[Check]:
    """What the web server needs to answer a question."""
    for name, look in {
        "postgres": postgres, "migrations": migrations, "redis": redis, "models": models,
    }.items():  # fmt: skip
        yield run(name, context, look)


def run(name: str, context: Context, look: Callable[[Context], str]) -> Check:
    """A check that says nothing went well; whatever it raises is the problem."""
    try:
        return Check(name, note=look(context))
    except ImpError as exc:
        return Check(name, problem=str(exc))
    except (SQLAlchemyError, RedisError, OSError) as exc:
        return Check(name, problem=f"{type(exc).__name__}: {_HINTS.get(name, 'see the log')}")


_HINTS = {
    "postgres": "Postgres does not answer: check DATABASE_URL, or the log of the embedded one",
    "migrations": "the schema cannot be read: run `imp db upgrade`",
    "redis": "Redis does not answer: check REDIS_URL, or the log of the embedded one",
}


def postgres(context: Context) -> str:
    with context.factory() as session:
        version = session.execute(text("SHOW server_version")).scalar_one()
        vector = session.execute(
            text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        ).scalar_one_or_none()
    if vector is None:
        raise ImpError("the extension `vector` (pgvector >= 0.8) is missing: run `imp db upgrade`")
    if tuple(int(part) for part in vector.split(".")[:2]) < (0, 8):
        raise ImpError(f"pgvector {vector} is too old: 0.8 or newer is needed")
    return f"Postgres {version}, pgvector {vector}"


def migrations(context: Context) -> str:
    now, newest = schema.current(context.factory.kw["bind"])
    if now != newest:
        raise ImpError(f"the schema is at {now}, the newest is {newest}: run `imp db upgrade`")
    return f"schema {now}"


def redis(context: Context) -> str:
    client = Redis.from_url(context.settings.require_redis_url(), socket_timeout=2, socket_connect_timeout=2)
    try:
        version = client.info("server")["redis_version"]
    finally:
        client.close()
    return f"Redis {version}"


def models(context: Context) -> str:
    embedder = context.embedder
    embedder.embed_query("ready?")
    return f"{embedder.name}, {embedder.dim} dimensions"


def ffmpeg(_: Context) -> str:
    missing = [tool for tool in ("ffmpeg", "ffprobe") if shutil.which(tool) is None]
    if missing:
        raise ImpError(f"{' and '.join(missing)} not found: install the system package `ffmpeg`")
    return "ffmpeg and ffprobe found"


def blobs(context: Context) -> str:
    context.blobs.check()
    return f"{context.settings.blobs_url} can be written"


def transcriber(context: Context) -> str:
    engine = context.transcriber
    return engine.name + (f" — {' '.join(engine.warnings)}" if engine.warnings else "")


def voices(context: Context) -> str:
    """Who tells speakers apart, where neither a transcript nor tracks do."""
    diarizer = context.diarizer
    matched = ", known voices are named" if context.settings.imp_match_voices else ""
    return (
        f"{diarizer.name}{matched}"
        if diarizer
        else "no diarization model: speakers without names stay unknown"
    )
