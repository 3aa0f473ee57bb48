"""One holder a folder, and ports that stay the same while they can."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.home import Home, is_free, running
from core.errors import NotConfigured

REPO = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from app.home import Home
home = Home(Path(sys.argv[1]))
home.hold()
home.tell(url="http://127.0.0.1:1")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_holds_it_and_a_kill_frees_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=REPO,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(NotConfigured, match=rf"in use: held by process {holder.pid} on .*127.0.0.1:1"):
            Home(tmp_path).hold()
        holder.kill()
        holder.wait(5)
    home = Home(tmp_path)
    home.hold()
    home.release()


def test_the_folder_can_be_held_again_after_release(tmp_path: Path) -> None:
    first, second = Home(tmp_path / "a"), Home(tmp_path / "a")
    first.hold()
    with pytest.raises(NotConfigured, match="another imp is starting or stopping"):
        second.hold()
    first.release()
    second.hold()
    second.release()


def test_what_the_holder_tells_is_private_and_ends_with_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hold()
    home.tell(database_url="postgresql://secret")
    told = tmp_path / "running.json"
    assert stat.S_IMODE(told.stat().st_mode) == 0o600
    facts = running(tmp_path)
    assert facts is not None and facts["pid"] == os.getpid()
    home.release()
    assert running(tmp_path) is None


def test_what_a_dead_process_told_counts_no_more(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait(5)
    (tmp_path / "running.json").write_text(json.dumps({"pid": gone.pid, "host": "h", "started": "s"}))
    assert running(tmp_path) is None
    (tmp_path / "running.json").write_text('{"pid": 1')
    assert running(tmp_path) is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotConfigured, match="file/home cannot be written"):
        Home(tmp_path / "file" / "home").hold()


def test_ports_are_remembered_and_move_when_taken(tmp_path: Path) -> None:
    first = Home(tmp_path).port("postgres")
    assert Home(tmp_path).port("postgres") == first != Home(tmp_path).port("redis")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert not is_free(first)
        moved = Home(tmp_path).port("postgres")
        assert moved != first
    assert Home(tmp_path).port("postgres") == moved


@pytest.mark.parametrize("left_behind", ["", '{"postgres": 54'])
def test_a_port_file_broken_by_a_kill_is_written_anew(tmp_path: Path, left_behind: str) -> None:
    (tmp_path / "ports.json").write_text(left_behind)
    assert Home(tmp_path).port("postgres") == Home(tmp_path).port("postgres") > 0
