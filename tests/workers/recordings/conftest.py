"""A worker of recordings without a broker: files in, jobs claimed and run here, rows and blobs to look at."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from core import jobs
from core.doorbell import SilentBell
from core.errors import ImpError
from core.running_job import RunningJob
from core.settings import load_settings
from rag.embedding import Embedder, load_embedder
from workers.add_recording import LocalRecording, add_local
from workers.context import Context
from workers.intake import NewRecording, take_in
from workers.tasks import MODULES, load_work

MEETINGS = Path(__file__).resolve().parents[3] / "sandbox" / "company" / "meetings"
TINY_WHISPER = Path(__file__).resolve().parents[2] / "data" / "tiny_whisper"
SPEECH = Path(__file__).resolve().parents[2] / "data" / "tiny_whisper_speech"


class Studio:
    """What the tests of recordings do, in short words."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def add(self, path: Path, **facts: Any) -> int:
        """Through the local door, which looks at the file first."""
        return add_local(self.context, LocalRecording(path, **facts)).recording_id

    def upload(self, path: Path, transcript: bytes | None = None, name: str = "notes.vtt") -> int:
        """Through a door that takes any bytes; what is wrong with them shows in the job."""
        stored = self.context.blobs.put_file(path, max_bytes=10**9)
        url = None
        if transcript is not None:
            url = self.context.blobs.put([transcript], suffix=".vtt", max_bytes=10**9).url
        new = NewRecording(
            stored,
            path.name,
            path.stem,
            transcript_url=url,
            origin={"transcript_name": name if transcript else None},
        )
        with self.context.factory.begin() as session:
            return take_in(session, self.context.settings, new)[0]

    def claim(self, job_id: int, *, stale_s: float = 30.0) -> RunningJob:
        with self.context.factory.begin() as session:
            claimed = jobs.claim(session, job_id, worker="test", stale_s=stale_s)
        assert claimed is not None
        return RunningJob(claimed, self.context.factory, heartbeat_s=60)

    def waiting(self, kind: str) -> int:
        [row] = self.rows("SELECT id FROM jobs WHERE kind = :kind AND state = 'queued'", kind=kind)
        return int(row.id)

    def run(self, kind: str) -> dict[str, Any]:
        """Run the one waiting job of this kind as a worker would."""
        return self.run_claimed(self.claim(self.waiting(kind)))

    def run_claimed(self, job: RunningJob) -> dict[str, Any]:
        try:
            outcome = load_work(MODULES[job.claimed.kind])(self.context, job)
        except ImpError as exc:
            error = str(exc)
            with self.context.factory.begin() as session:
                jobs.close(session, job.claimed, state="failed", error=error)
            raise
        with self.context.factory.begin() as session:
            jobs.close(session, job.claimed, state="done", outcome=outcome)
        return outcome

    def again(self, kind: str, recording_id: int) -> dict[str, Any]:
        with self.context.factory.begin() as session:
            jobs.enqueue(session, kind, str(recording_id), recording_id=recording_id)
        return self.run(kind)

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.context.factory.begin() as session:
            return list(session.execute(text(query), values).all())

    def row(self, recording_id: int) -> Any:
        return self.rows("SELECT * FROM recordings WHERE id = :id", id=recording_id)[0]

    def segments(self, recording_id: int) -> list[tuple[Any, ...]]:
        found = self.rows(
            "SELECT position, start_s, end_s, speaker, text, confidence FROM segments "
            "WHERE recording_id = :id ORDER BY position",
            id=recording_id,
        )
        return [tuple(row) for row in found]


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder("all-MiniLM-L6-v2")


@pytest.fixture
def make_studio(
    session_factory: sessionmaker[Session], tmp_path: Path, embedder: Embedder
) -> Callable[..., Studio]:
    def make(**settings: Any) -> Studio:
        given = load_settings(database_url="postgresql://unused/x", imp_home=tmp_path / "home", **settings)
        context = Context(given, session_factory, SilentBell())
        context.embedder = embedder
        return Studio(context)

    return make


@pytest.fixture
def studio(make_studio: Callable[..., Studio]) -> Studio:
    return make_studio(imp_transcriber="pocketsphinx")


@pytest.fixture(scope="session")
def make_sound(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Renders sound with ffmpeg: `make_sound("name.wav", "-f", "lavfi", …)`."""
    folder = tmp_path_factory.mktemp("sound")

    def make(name: str, *arguments: str) -> Path:
        path = folder / name
        command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *arguments, str(path)]
        subprocess.run(command, check=True, timeout=60)
        return path

    return make


@pytest.fixture(scope="session")
def speak(make_sound: Callable[..., Path]) -> Callable[..., Path]:
    """Synthesizes speech with espeak-ng and stores it as 16 kHz sound."""

    def synthesize(name: str, words: str) -> Path:
        raw = make_sound("empty.wav", "-f", "lavfi", "-i", "anullsrc=d=0.1").parent / f"raw-{name}.wav"
        subprocess.run(
            ["espeak-ng", "-v", "en-us", "-s", "140", "-w", str(raw), words], check=True, timeout=60
        )
        return make_sound(name, "-i", str(raw), "-ar", "16000", "-ac", "1")

    return synthesize
