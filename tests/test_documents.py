"""What the documents point at exists: files, links, commands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/recordings.md"]
FOLDERS = r"app|benchmarks|connectors|core|docs|infra|migrations|rag|sandbox|tests|training|workers"


def prose(document: str) -> str:
    return (ROOT / document).read_text()


def test_links_lead_somewhere() -> None:
    links = [(name, target) for name in DOCUMENTS for target in re.findall(r"\]\(([^)#]+)\)", prose(name))]
    assert len(links) > 5
    for name, target in links:
        assert target.startswith("https://") or ((ROOT / name).parent / target).exists(), f"{name}: {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", prose(document)):
        assert (ROOT / path).exists(), path


def commands_said(document: str) -> set[tuple[str, ...]]:
    """`imp minutes approve 3` -> ("minutes", "approve"), from inline code and code blocks."""
    text = prose(document)
    code = re.findall(r"`[^`\n]+`", text) + re.findall(r"^(?:\.venv/bin/)?imp .*$", text, re.MULTILINE)
    found = re.findall(r"(?<!/)\bimp ((?:[a-z][a-z-]* ?){1,2})", "\n".join(code))
    return {tuple(words.split()) for words in found}


def test_named_commands_exist() -> None:
    said = set().union(*map(commands_said, DOCUMENTS))
    assert len(said) > 10
    program = (
        "import sys, typer.main\nfrom app.cli import app\n"
        "for name, one in typer.main.get_command(app).commands.items():\n"
        "    print(name, *getattr(one, 'commands', ()))\n"
    )
    lines = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()
    known = {line.split()[0]: set(line.split()[1:]) for line in lines}
    for command, *rest in said:
        assert command in known, command
        if rest and known[command] and command != "sync":
            assert rest[0] in known[command], f"imp {command} {rest[0]}"


def test_webhook_events_are_those_the_demo_registers() -> None:
    from app.demo.run import WEBHOOK_EVENTS

    assert [event for event in WEBHOOK_EVENTS if f"`{event}`" not in prose("README.md")] == []
