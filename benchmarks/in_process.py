"""A database of this process' own and its jobs run here, without a broker: what a figure without noise needs."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from app import embedded_postgres, up
from app.home import free_port
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.settings import load_settings
from migrations import schema
from workers.context import Context
from workers.run_job import run_job
from workers.tasks import MODULES, load_work

WAITING = text("SELECT id, kind FROM jobs WHERE state = 'queued' AND kind = ANY(:kinds) ORDER BY id")


def compute_as_a_worker() -> None:
    """Threads wait as those of `imp up`'s children do; to be called before anything imports torch.

    Without it OpenMP's threads spin while they wait, which on a busy machine costs a factor of ten.
    """
    os.environ.update(up._THREADS)


@contextmanager
def temporary_context(**settings: object) -> Iterator[Context]:
    """A worker's context on an embedded, migrated, empty Postgres (durable as in production); gone at the end."""
    with tempfile.TemporaryDirectory(prefix="imp-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        command = embedded_postgres.prepare(home, port=free_port())
        with (home / "postgres.log").open("w") as log:
            server = subprocess.Popen(command.argv, cwd="/", stdout=log, stderr=log, **command.identity)
        try:
            embedded_postgres.wait_until_ready(command)
            engine = make_engine(command.url)
            schema.upgrade(engine)
            given = load_settings(database_url=command.url, imp_home=home, **settings)
            bell = SilentBell()
            yield Context(given, make_session_factory(engine, doorbell=bell), bell)
            engine.dispose()
        finally:
            server.send_signal(2)
            server.wait(20)


def run_waiting(context: Context, *kinds: str, n_threads: int = 1) -> int:
    """Claim and run waiting jobs of these kinds, as a worker's threads do, until there is none. Returns how many.

    Raises:
        RuntimeError: one did not end as `done`.
    """
    n_run = 0
    with ThreadPoolExecutor(n_threads) as pool:
        while True:
            with context.factory() as session:
                waiting = session.execute(WAITING, {"kinds": list(kinds)}).all()
            if not waiting:
                return n_run
            for ended in pool.map(
                lambda row: run_job(context, row.id, load_work(MODULES[row.kind])), waiting
            ):
                if ended not in (
                    "done",
                    "not_claimed",
                ):  # claimed by another thread, or taken along by its job
                    raise RuntimeError(f"a job ended as {ended!r}; its row says why")
                n_run += ended == "done"
