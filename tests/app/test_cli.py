"""The command `imp` from outside: help, JSON, statuses, and one clear line for every failure."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from app.cli import app
from app.failures import describe
from core.db import make_engine, make_session_factory
from core.errors import BadInput, ImpError, NotConfigured
from workers import audit

Imp = Callable[..., Result]


def all_commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for path in found:
        command = get_command(app)
        for name in path:
            command = command.commands[name]  # type: ignore[attr-defined]
        found += [(*path, name) for name in getattr(command, "commands", {})]
    return found


@pytest.fixture
def imp(fresh_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Imp:
    """Runs a command in this process, against an empty migrated database and no Redis."""
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("IMP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CONFLUENCE_URL", raising=False)

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, list(args))

    return run


def imp_process(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    command = [sys.executable, "-c", "from app.cli import main; main()", *args]
    return subprocess.run(command, env={**path, **env}, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("path", all_commands(), ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 4


def test_help_loads_nothing_heavy() -> None:
    heavy = ("torch", "sqlalchemy", "celery", "alembic", "fastapi", "fsspec", "numpy")
    program = f"import sys, app.cli; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_help_answers_in_half_a_second_of_work() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert imp_process("record", "add", "--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.5


@pytest.mark.parametrize(
    "args",
    [("source", "list"), ("sync", "status"), ("record", "list"), ("minutes", "list"), ("jobs", "list"), ("people", "list")],
    ids=" ".join,
)  # fmt: skip
def test_lists_of_an_empty_installation(imp: Imp, args: tuple[str, ...]) -> None:
    as_json = imp(*args, "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (0, [])
    for_people = imp(*args)
    assert for_people.exit_code == 0
    assert for_people.stdout.startswith("no")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("jobs", "show", "99"), "job 99 does not exist"),
        (("jobs", "retry"), "name a job"),
        (("jobs", "retry", "99"), "job 99 is not"),
        (("jobs", "cancel", "99"), "job 99 is not"),
        (("jobs", "list", "--kind", "bogus"), "no kind of job 'bogus'"),
        (("record", "show", "99"), "recording 99 does not exist"),
        (("record", "retry", "99"), "recording 99 does not exist"),
        (("minutes", "show", "99"), "minutes 99 do not exist"),
        (("minutes", "approve", "99"), "minutes 99 do not exist"),
        (("minutes", "discard", "99"), "minutes 99 do not exist"),
        (("minutes", "publish", "99"), "minutes 99 do not exist"),
        (("people", "token", "nobody@example.com"), "imp people list"),
        (("people", "login", "nobody@example.com"), "imp people list"),
        (("people", "link", "ada@example.com"), "say which account"),
        (("people", "link", "ada", "--slack", "U1"), "not an e-mail address"),
        (("source", "add", "dropbox"), "source kind must be one of"),
        (("source", "add", "recordings"), "needs --url"),
        (("source", "add", "recordings", "--url", "file:///no/such/folder"), "there is no folder"),
        (("source", "add", "confluence", "--settings", "{"), "not JSON"),
        (("source", "remove", "nothing", "--yes"), "no source called 'nothing'"),
        (("sync",), "no sources"),
        (("sync", "nothing"), "no source 'nothing'"),
        (("ask", " "), "the question is empty"),
        (("ask", "x" * 40_000), "the limit is 2000"),
        (("ask", "who?", "--as", "nobody@example.com"), "imp people list"),
        (("db", "upgrade", "nothing"), "cannot be brought to 'nothing'"),
    ],
)
def test_mistakes_are_named(imp: Imp, args: tuple[str, ...], said: str) -> None:
    result = imp(*args)
    assert isinstance(result.exception, ImpError)
    assert said in str(result.exception)
    assert result.stdout == ""


@pytest.mark.parametrize(
    "args",
    [
        ("jobs", "show", "abc"),
        ("jobs", "list", "--state", "bogus"),
        ("minutes", "list", "--state", "bogus"),
        ("record", "add", "/no/such/file.mp4"),
        ("record", "add", "/tmp"),
        ("sandbox", "--slack-port", "0"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(imp: Imp, args: tuple[str, ...]) -> None:
    result = imp(*args)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_no_media_is_refused_and_nothing_kept(imp: Imp, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert isinstance(imp("record", "add", str(empty)).exception, BadInput)
    assert json.loads(imp("record", "list", "--json").stdout) == []


def test_sync_says_its_jobs_as_json(imp: Imp, tmp_path: Path) -> None:
    assert imp("source", "add", "recordings", "--url", tmp_path.as_uri(), "--name", "meetings").exit_code == 0
    queued = imp("sync", "meetings", "--json")
    [job] = json.loads(queued.stdout)
    shown = json.loads(imp("jobs", "show", str(job["job_id"]), "--json").stdout)
    assert (shown["kind"], shown["state"]) == ("scan_recordings", "queued")
    assert imp("jobs", "cancel", str(job["job_id"])).stdout == "cancelled\n"
    assert imp("jobs", "retry", str(job["job_id"])).stdout == "1 queued again\n"


def test_a_failure_tried_anew_is_not_listed_twice(imp: Imp, fresh_database_url: str) -> None:
    with make_engine(fresh_database_url).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO jobs (kind, key, queue, state, error) VALUES "
            "('sync_source', '1', 'sync', 'failed', 'old'), ('sync_source', '1', 'sync', 'failed', 'new')"
        )
    assert [job["error"] for job in json.loads(imp("jobs", "list", "--json").stdout)] == ["new"]
    assert len(json.loads(imp("jobs", "list", "--state", "failed", "--json").stdout)) == 2


def test_nothing_running_is_a_matter_of_configuration(tmp_path: Path) -> None:
    result = imp_process("jobs", "list", IMP_HOME=str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert "start `imp up`" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_unreachable_database_is_one_line_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://imp:hunter2@127.0.0.1:1/imp"
    result = imp_process(
        "jobs", "list", DATABASE_URL=url, REDIS_URL="redis://127.0.0.1:1", IMP_HOME=str(tmp_path)
    )
    assert result.returncode == 1
    assert "Postgres does not answer" in result.stderr
    assert "hunter2" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_old_schema_says_what_to_run(make_bare: str, tmp_path: Path) -> None:
    result = imp_process(
        "jobs", "list", DATABASE_URL=make_bare, REDIS_URL="redis://127.0.0.1:1", IMP_HOME=str(tmp_path)
    )
    assert (result.returncode, "imp db upgrade" in result.stderr) == (1, True)


@pytest.fixture
def make_bare(postgres_server: str) -> str:
    """The server's own database, in which nothing of ours was ever made."""
    return f"{postgres_server}/postgres"


def test_texts_of_unexpected_errors_stay_inside() -> None:
    assert (
        describe(ValueError("the token is hunter2"))
        == "unexpected ValueError; IMP_LOG_LEVEL=DEBUG shows where"
    )
    assert describe(NotConfigured("CONFLUENCE_URL is not set")) == "CONFLUENCE_URL is not set"


def test_erasing_asks_first_and_says_what_would_go(imp: Imp) -> None:
    imp("people", "link", "zed@example.com", "--confluence", "acc-123456", "--name", "Zed Marrow")
    foreseen = imp("people", "erase", "zed@example.com", "--dry-run", "--json")
    assert foreseen.exit_code == 0, foreseen.output
    assert json.loads(foreseen.stdout)["n_accounts"] == 1
    assert imp("people", "erase", "zed@example.com").exit_code == 1, "nobody said yes"
    assert "zed@example.com" in imp("people", "list").output
    assert imp("people", "erase", "zed@example.com", "--yes").exit_code == 0
    assert "zed@example.com" not in imp("people", "list").output
    missing = imp("record", "erase", "7", "--yes")
    assert isinstance(missing.exception, ImpError)
    assert "recording 7 does not exist" in str(missing.exception)


def test_the_audit_is_listed_newest_first(imp: Imp, fresh_database_url: str) -> None:
    assert "no admin did anything yet" in imp("audit").output
    engine = make_engine(fresh_database_url)
    with make_session_factory(engine).begin() as session:
        audit.write(session, "slack:T1:U1", "admin_word", details={"word": "status"})
        audit.write(session, "slack:T1:U2", "channel_settings", target="T1/C1", is_allowed=False)
    engine.dispose()
    rows = json.loads(imp("audit", "--json").output)
    assert [(row["actor"], row["is_allowed"]) for row in rows] == [
        ("slack:T1:U2", False),
        ("slack:T1:U1", True),
    ]
    assert [row["action"] for row in json.loads(imp("audit", "--json", "--action", "admin_word").output)] == [
        "admin_word"
    ]
    assert len(json.loads(imp("audit", "--json", "--most", "1").output)) == 1
