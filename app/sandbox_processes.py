"""The stand-in servers as child processes, and the settings that point this product at them.

They are reached over HTTP like the real ones; nothing of theirs is imported.
"""

import importlib.util
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from app.supervisor import Child
from core.errors import NotConfigured, Unavailable

SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105 - of the stand-in, which guards nothing
WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105
BOT_TOKEN = "sample-token-slack-bot"  # noqa: S105
CONFLUENCE_TOKEN = "sample-token-imp-bot"  # noqa: S105
CONFLUENCE_USER = "imp@larkmoor.example"
MINUTES_SPACE = "MTG"
MINUTES_PARENT = "Meeting minutes"


def company_folder() -> Path:
    """The sample company that comes with this product.

    Raises:
        NotConfigured: installed without the sandbox.
    """
    found = importlib.util.find_spec("sandbox")
    folders = list(found.submodule_search_locations or ()) if found else []
    folder = Path(folders[0]) / "company" if folders else None
    if folder is None or not (folder / "company.yaml").exists():
        raise NotConfigured("the sample company is not installed: run from a clone of the repository")
    return folder


def sandbox_children(
    confluence_port: int, slack_port: int, events_url: str, company: Path | None = None
) -> list[Child]:
    """Both servers, each ready when it answers."""
    seed = str(company or company_folder())
    return [
        Child(
            "sandbox-confluence",
            [sys.executable, "-m", "sandbox.confluence", "--port", str(confluence_port), "--seed", seed],
            wait_ready=partial(_wait, f"http://127.0.0.1:{confluence_port}/"),
        ),
        Child(
            "sandbox-slack",
            [
                sys.executable, "-m", "sandbox.slack", "--port", str(slack_port), "--seed", seed,
                "--url", events_url, "--signing-secret", SIGNING_SECRET,
            ],
            wait_ready=partial(_wait, f"http://127.0.0.1:{slack_port}/health"),
        ),
    ]  # fmt: skip


def environment_for(confluence_port: int, slack_port: int) -> dict[str, str]:
    """The settings with which this product works against the sample company."""
    return {
        "CONFLUENCE_URL": f"http://127.0.0.1:{confluence_port}/wiki",
        "CONFLUENCE_USERNAME": CONFLUENCE_USER,
        "CONFLUENCE_API_TOKEN": CONFLUENCE_TOKEN,
        "CONFLUENCE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "CONFLUENCE_MINUTES_SPACE": MINUTES_SPACE,
        "CONFLUENCE_MINUTES_PARENT": f"'{MINUTES_PARENT}'",
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": f"http://127.0.0.1:{slack_port}/api/",
    }


def _wait(url: str, check: Callable[[], None], *, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if httpx.get(url, timeout=2).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        check()
        if time.monotonic() > deadline:
            raise Unavailable(f"{url} did not answer within {timeout_s:.0f} s")
        time.sleep(0.1)
