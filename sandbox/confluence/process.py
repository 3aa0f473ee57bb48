"""Start the stand-in in a process of its own and hold its strings: what tests and demos use."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

START_S = 30.0
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ConfluenceSandbox:
    """A running stand-in; `url` is `http://127.0.0.1:PORT`, Cloud clients want `cloud_url`."""

    url: str

    @property
    def cloud_url(self) -> str:
        return f"{self.url}/wiki"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request to `/_sandbox/<path>`; raises requests.HTTPError with the server's own words."""
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=30)
        if answer.status_code >= 400:
            raise requests.HTTPError(answer.text, response=answer)
        return answer.json() if answer.content else None

    def state(self) -> dict[str, Any]:
        """`counts`, `n_requests`, `requests` (the log), `webhooks` (deliveries tried), `faults`."""
        found: dict[str, Any] = self.ask("GET", "state")
        return found

    def requests(self, fragment: str = "") -> list[dict[str, Any]]:
        """The logged requests whose path contains this."""
        return [entry for entry in self.state()["requests"] if fragment in entry["path"]]

    def reset(self, company: dict[str, Any] | None = None) -> None:
        """Back to the start, then add this company (see `seed.py`)."""
        self.ask("POST", "reset")
        if company is not None:
            self.ask("POST", "seed", company)

    def seed(self, company: dict[str, Any] | Path) -> None:
        self.ask("POST", "seed", {"folder": str(company)} if isinstance(company, Path) else company)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the faults in force; no rule at all ends them."""
        self.ask("PUT", "faults", list(rules))

    def forget_log(self) -> None:
        self.ask("DELETE", "log")

    def add_page(self, space: str, title: str, body: str = "", **fields: Any) -> str:
        """Returns the new page's id; fields: parent_id, id, labels, status, type, `as`."""
        return str(self.ask("POST", "pages", {"space": space, "title": title, "body": body, **fields})["id"])

    def edit_page(self, content_id: str, **fields: Any) -> int:
        """Fields: title, body, append, `as`. Returns the new version."""
        return int(self.ask("PUT", f"pages/{content_id}", fields)["version"])

    def act(self, content_id: str, action: str, **fields: Any) -> dict[str, Any]:
        """trash, restore, purge, archive, unarchive, move, restrict, label, unlabel, touch, comment, attach."""
        found: dict[str, Any] = self.ask("POST", f"pages/{content_id}/{action}", fields)
        return found

    def restrict(self, content_id: str, *principals: str, operation: str = "read") -> None:
        """Only these may read (or `update`); none at all lifts the restriction."""
        self.act(content_id, "restrict", principals=list(principals), operation=operation)

    def set_space_permissions(self, key: str, *principals: str) -> None:
        self.ask("PUT", f"spaces/{key}/permissions", list(principals))

    def add_person(self, **fields: Any) -> None:
        """Fields as in `company.yaml`: account_id, username, name, email, token, groups, admin."""
        self.ask("POST", "people", fields)

    def add_member(self, group: str, account_id: str) -> None:
        self.ask("PUT", f"groups/{group}/members/{account_id}")

    def remove_member(self, group: str, account_id: str) -> None:
        self.ask("DELETE", f"groups/{group}/members/{account_id}")

    def add_webhook(self, url: str, *events: str, dialect: str = "cloud", **auth: str) -> int:
        """`auth`: kind="header" name= value= | kind="hmac" secret= | kind="connect-jwt" client_key= shared_secret=."""
        body = {"url": url, "events": list(events), "dialect": dialect, "auth": auth}
        return int(self.ask("POST", "webhooks", body)["id"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    *, port: int | None = None, seed: Path | None = None, flavor: str = "both", database: Path | None = None
) -> Iterator[ConfluenceSandbox]:
    """The stand-in in a child process, ready when this enters and gone when it leaves.

    Raises: RuntimeError with the child's last words when it does not come up.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "sandbox.confluence", "--port", str(port), "--flavor", flavor]
    command += ["--seed", str(seed)] if seed else []
    command += ["--db", str(database)] if database else []
    command += ["--log-level", "critical"]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    sandbox = ConfluenceSandbox(f"http://127.0.0.1:{port}")
    try:
        _wait(child, sandbox)
        yield sandbox
    finally:
        child.terminate()
        try:
            child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()


def _wait(child: subprocess.Popen[bytes], sandbox: ConfluenceSandbox) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            words = child.stdout.read().decode(errors="replace") if child.stdout else ""
            raise RuntimeError(f"the stand-in Confluence ended at once: {words[-2000:]}")
        try:
            sandbox.state()
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the stand-in Confluence did not answer within {START_S} s")
