"""The import contracts hold, and they break when somebody imports upward, however well it is hidden."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("app", "workers", "training", "connectors", "rag", "migrations", "core", "sandbox")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the product's code and its contracts."""
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__", "*.ogg"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check(house: Path) -> tuple[int, str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=house, env={**os.environ, "PYTHONPATH": str(house)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_floors_hold(house: Path) -> None:
    status, said = check(house)
    assert status == 0, said


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("core/db.py", "def late():\n    import workers.celery_app", "core.db -> workers.celery_app"),
        ("rag/query.py", "import connectors.slack.web", "rag.query -> connectors.slack.web"),
        (
            "connectors/slack/web.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rag.answer import Answer",
            "connectors.slack.web -> rag.answer",
        ),
        ("app/up.py", "import sandbox.slack.app", "app.up -> sandbox.slack.app"),
        ("sandbox/slack/looks.py", "import core.settings", "sandbox.slack.looks -> core.settings"),
        ("migrations/schema.py", "import workers.people", "migrations.schema -> workers.people"),
    ],
)
def test_a_wrong_import_is_found(house: Path, file: str, line: str, broken: str) -> None:
    with (house / file).open("a") as source:
        source.write(f"\n{line}\n")
    status, said = check(house)
    assert status == 1
    assert broken in said
