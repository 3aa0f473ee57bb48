"""`imp up`: every process of one machine, on embedded services where none are given.

Order: Postgres, migrations, Redis, workers, beat, web. The children are the very commands that the
containers run; only DATABASE_URL and REDIS_URL are filled in.
"""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app import embedded_postgres, embedded_redis
from app.home import Home, is_free
from app.supervisor import Child, Supervisor
from core.db import make_engine
from core.settings import Settings, load_settings
from migrations import schema

# One process per need: answers never wait behind a transcription, and pages are indexed while one is heard.
# Threads, since torch must not be forked.
WORKERS = {"worker-ask": ("ask", 2), "worker-sync": ("sync,io", 4), "worker-gpu": ("gpu", 2)}


@dataclass
class Stack:
    """What runs: its supervisor, its folder, and the settings its children got."""

    home: Home
    supervisor: Supervisor
    settings: Settings

    def stop(self) -> None:
        self.supervisor.stop()
        self.home.release()


def start(
    settings: Settings,
    say: Callable[[str], None],
    *,
    with_web: bool = True,
    more_env: dict[str, str] | None = None,
    before: Callable[[Stack], None] = lambda _: None,
) -> Stack:
    """Bring everything up; on failure, stop what was started.

    Args:
        more_env: settings the children get on top of this process' environment; kept for other commands
            on the same folder.
        before: starts more children once the folder is held (the demo's stand-ins).

    Raises:
        NotConfigured: the folder is held by another process, or something is missing.
        Unavailable: a service did not come up.
    """
    home = Home(settings.imp_home)
    home.hold()
    stack = Stack(home, Supervisor(settings.imp_home / "logs", say), settings)
    stack.supervisor.stop_on_signals()
    try:
        before(stack)
        database_url = _postgres(stack, say)
        redis_url = _redis(stack, say)
        port = settings.imp_port if settings.imp_port and is_free(settings.imp_port) else home.port("web")
        if port != settings.imp_port:
            say(f"port {settings.imp_port} is taken, web uses {port}")
        public_url = settings.imp_public_url
        if "imp_public_url" not in settings.model_fields_set:
            public_url = f"http://127.0.0.1:{port}"
        env = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "IMP_HOME": str(settings.imp_home),
            "IMP_PORT": str(port),
            "IMP_PUBLIC_URL": public_url,
            **(more_env or {}),
            **_THREADS,
        }
        given = {name.lower(): value for name, value in env.items() if name.lower() in Settings.model_fields}
        stack.settings = load_settings(**given)
        for child in _processes(env, with_web=with_web):
            stack.supervisor.start(child)
        home.tell(
            url=public_url,
            database_url=database_url,
            redis_url=redis_url,
            pids=stack.supervisor.pids(),
            settings=given,
        )
    except BaseException:
        stack.stop()
        raise
    return stack


# Two OpenMP teams on few cores spin against each other; passive waiting keeps every process usable.
_THREADS = {"KMP_BLOCKTIME": "0", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}


def _postgres(stack: Stack, say: Callable[[str], None]) -> str:
    if stack.settings.database_url is not None:
        url = stack.settings.require_database_url()
        say("Postgres: external (DATABASE_URL)")
    else:
        command = embedded_postgres.prepare(stack.home.path, port=stack.home.port("postgres"))
        stack.supervisor.start(
            Child(
                "postgres",
                command.argv,
                popen={"cwd": "/", **command.identity},
                stop_signal=signal.SIGINT,
                orphan_signal=signal.SIGINT,
                wait_ready=partial(embedded_postgres.wait_until_ready, command),
            )
        )
        url = command.url
        say(f"Postgres: embedded on port {command.port}")
    engine = make_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    return url


def _redis(stack: Stack, say: Callable[[str], None]) -> str:
    if stack.settings.redis_url is not None:
        say("Redis: external (REDIS_URL)")
        return stack.settings.require_redis_url()
    command = embedded_redis.prepare(stack.home.path, port=stack.home.port("redis"))
    stack.supervisor.start(
        Child("redis", command.argv, wait_ready=partial(embedded_redis.wait_until_ready, command))
    )
    say(f"Redis: embedded on port {command.port}")
    return command.url


def _processes(env: dict[str, str], *, with_web: bool) -> list[Child]:
    celery = [sys.executable, "-m", "celery", "-A", "workers.celery_app"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    children = [
        Child(
            name,
            [*celery, "worker", "-n", f"{name}@%h", "-Q", queues, "-P", "threads", "-c", str(n), *quiet],
            env,
        )
        for name, (queues, n) in WORKERS.items()
    ]
    beat_file = f"{env['IMP_HOME']}/beat-schedule"
    children.append(Child("beat", [*celery, "beat", "-l", "WARNING", "-s", beat_file], env))
    if with_web:
        children.append(Child("web", [sys.executable, "-m", "app.server"], env))
    return children
