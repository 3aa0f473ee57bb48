"""Seeding from a company file and refusing a broken one; the command line starts a server."""

import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest
from slack_sdk import WebClient

from sandbox.slack.seed import SeedError, load_store
from tests.sandbox.slack_driving import Served, free_port, until

ROOT = Path(__file__).resolve().parents[2]
COMPANY = """
people:
  - {username: ann, name: Ann Lee, email: ann@x.example, slack_id: U0ANN, groups: [staff]}
  - {username: bob, name: Bob Ray, email: bob@x.example, slack_id: U0BOB, groups: [staff], guest: true}
  - {username: robot, name: Robot, email: robot@x.example}
slack:
  team: {id: T0X, name: Example, domain: example}
  bot: {user_id: U0HELPER, name: helper, token: a-token}
  channels:
    - id: C0A
      name: general
      topic: All
      members: [U0ANN, U0BOB]
      bot: true
      messages:
        - {user: U0ANN, text: "@helper see https://x.example, #quiet & <b>", ts: "1700000100.000100"}
        - {user: U0BOB, text: "indeed", ts: "1700000200.000100", thread_ts: "1700000100.000100"}
    - {id: C0Q, name: quiet, private: true, members: [U0ANN]}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "company.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def test_a_company_file_becomes_a_workspace(tmp_path: Path) -> None:
    store = load_store(write(tmp_path, COMPANY))
    assert {u.name for u in store.users.values() if not u.is_bot} == {"ann", "bob", "slackbot"}
    assert store.users["U0BOB"].is_guest
    assert store.channels["C0A"].members == ["U0ANN", "U0BOB", "U0HELPER"]
    assert (store.channels["C0Q"].kind, store.channels["C0Q"].members) == ("group", ["U0ANN"])
    assert [(g.handle, g.members) for g in store.groups.values()] == [("staff", ["U0ANN", "U0BOB"])]
    root = store.messages["C0A"]["1700000100.000100"]
    assert root.text == "<@U0HELPER> see <https://x.example>, #quiet &amp; &lt;b>"
    assert [m.text for m in store.replies("C0A", root.ts)] == ["indeed"]
    assert store.tokens["a-token"].kind == "bot"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("people: [", "is not YAML"),
        ("- a list", "mapping"),
        ("people: [{slack_id: U0A, name: A}]", "has no username"),
        ("slack: {channels: [{id: C1, name: x, members: [U0NO]}]}", "unknown members U0NO"),
    ],
)
def test_a_broken_company_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SeedError, match=complaint):
        load_store(write(tmp_path, text))


def test_a_missing_company_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="cannot read"):
        load_store(tmp_path)


def test_the_demo_company_can_be_read() -> None:
    if not (ROOT / "sandbox" / "company" / "company.yaml").is_file():
        pytest.skip("the demo company is not written yet")
    store = load_store(ROOT / "sandbox" / "company")
    assert any(store.bot.user_id in c.members for c in store.channels.values())
    assert any(u.is_external for u in store.users.values())


def test_the_command_line_serves_a_seeded_workspace(tmp_path: Path) -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "sandbox.slack",
        "--port",
        str(port),
        "--seed",
        str(write(tmp_path, COMPANY)),
    ]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port), "the server should start", 30)
        client = WebClient(token="a-token", base_url=f"http://127.0.0.1:{port}/api/")
        assert client.auth_test()["user"] == "helper"
        history = client.conversations_history(channel="C0A")["messages"]
        assert [m["reply_count"] for m in history] == [1]
    finally:
        server.terminate()
        assert server.wait(15) is not None


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def test_the_command_line_names_a_bad_seed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.slack", "--port", "1", "--seed", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "cannot read" in done.stderr


def test_two_sandboxes_live_side_by_side(tmp_path: Path) -> None:
    from sandbox.slack.app import create_app
    from sandbox.slack.config import Config

    with (
        Served(create_app(Config(seed_dir=write(tmp_path, COMPANY)))) as one,
        Served(create_app(Config())) as two,
    ):
        names = [httpx.get(f"{s.url}/_sandbox/people").json()["team"] for s in (one, two)]
    assert names == ["Example", "Sandbox"]
