"""The folder of one embedded installation: who holds it, and the ports it was given.

The lock is the kernel's (`flock`), so it ends with its process whatever happens; the file beside it only
tells who that is.
"""

import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from core.errors import NotConfigured


class Home:
    """`IMP_HOME`, held by this process until `release` or its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    def hold(self) -> None:
        """Take the folder.

        Raises:
            NotConfigured: another process holds it (the message says which), or it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+")
        except OSError as exc:
            raise NotConfigured(f"IMP_HOME {self.path} cannot be written: {exc.strerror}") from exc
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            lock.close()
            raise NotConfigured(f"{self.path} is in use: {describe_holder(self.path)}") from exc
        self._lock = lock

    def release(self) -> None:
        (self.path / "running.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def tell(self, **facts: Any) -> None:
        """Write `running.json` (0600: the URLs in it carry passwords) for other commands on this folder."""
        target = self.path / "running.json"
        draft = target.with_suffix(".part")
        draft.touch(mode=0o600)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        draft.write_text(
            json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started": started, **facts})
        )
        draft.replace(target)

    def port(self, name: str) -> int:
        """A free port, the same as last time where it is still free."""
        remembered = self.path / "ports.json"
        try:
            ports: dict[str, int] = json.loads(remembered.read_text())
        except (OSError, ValueError):  # never written yet, or its writer was killed
            ports = {}
        wanted = ports.get(name, 0)
        ports[name] = wanted if wanted and is_free(wanted) else free_port()
        remembered.write_text(json.dumps(ports))
        return ports[name]


def running(path: Path) -> dict[str, Any] | None:
    """What the process that holds the folder told of itself; None when nobody does."""
    try:
        facts: dict[str, Any] = json.loads((path / "running.json").read_text())
        os.kill(facts["pid"], 0)
    except PermissionError:  # it lives, as another user
        return facts
    except (OSError, ValueError, KeyError):
        return None
    return facts


def describe_holder(path: Path) -> str:
    facts = running(path)
    if facts is None:
        return "another imp is starting or stopping on it"
    return (
        f"held by process {facts['pid']} on {facts['host']} since {facts['started']} ({facts.get('url', '')})"
    )


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
