"""The demo's processes with the sample company in them: synced, and one meeting heard. For figures end to end."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from app.demo.run import Demo
from app.follow import follow, settle
from app.sandbox_processes import company_folder
from core.log import configure_logging
from core.settings import load_settings
from workers.add_recording import LocalRecording, add_local, newest_job
from workers.context import Context

MEETINGS = {"launch-review": "with a transcript beside it", "incident-retro": "sound only"}


@dataclass(frozen=True)
class Company:
    """All processes up; `context` reaches their database, `demo` their stand-ins."""

    demo: Demo
    context: Context
    folder: Path

    def sync(self) -> None:
        self.demo.sync(self.context)

    def emails(self) -> dict[str, str]:
        """Addresses of the people by their id in Slack."""
        listed = yaml.safe_load((self.folder / "company.yaml").read_text())["people"]
        return {one["slack_id"]: one["email"] for one in listed if "slack_id" in one}

    def hear(self, meeting: str) -> None:
        """One of MEETINGS: transcribed, indexed and its minutes drafted."""
        facts = yaml.safe_load((self.folder / "meetings" / f"{meeting}.yaml").read_text())
        audio = self.folder / "meetings" / facts["audio"]
        given = LocalRecording(audio, facts["title"], None, tuple(facts["participants"]))
        recording_id = add_local(self.context, given).recording_id
        for kind in ("transcribe_recording", "draft_minutes"):
            job_id = newest_job(self.context, kind, recording_id)
            assert job_id is not None
            follow(self.context.factory, [job_id])
        settle(self.context.factory, ("index_document",))


@contextmanager
def running_company(say: Callable[[str], None] = lambda _: None) -> Iterator[Company]:
    """Postgres, Redis, workers, beat, web and both stand-ins, in a folder that is gone at the end."""
    configure_logging(level="ERROR")
    with tempfile.TemporaryDirectory(prefix="imp-bench-", ignore_cleanup_errors=True) as folder:
        demo = Demo(load_settings(imp_home=Path(folder)), say)
        try:
            yield Company(demo, demo.start(), company_folder())
        finally:
            demo.stop()
