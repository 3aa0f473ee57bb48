"""One message for who shared a recording in Slack: posted once, then kept up to date to its end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workers.recordings.conftest import Studio
from workers import show_progress


class Slack:
    """The four calls of a Slack client that are made here."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def conversations_open(self, *, users: str) -> dict[str, Any]:
        return {"channel": {"id": f"D-{users}"}}

    def chat_postMessage(self, *, channel: str, text: str, blocks: Any) -> dict[str, str]:  # noqa: N802
        self.messages.append(("post", text))
        return {"ts": "1.0"}

    def chat_update(self, *, channel: str, ts: str, text: str, blocks: Any) -> None:
        assert (channel, ts) == ("D-U1", "1.0")
        self.messages.append(("update", text))


def test_one_message_from_first_seconds_to_the_end(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, speak: Callable[..., Path]
) -> None:
    slack = Slack()
    monkeypatch.setattr(show_progress, "client_of", lambda *_: slack)
    sound = speak(
        "told.wav", "good morning everyone and welcome to the meeting we will talk about the budget"
    )
    recording_id = studio.add(sound, origin={"door": "slack", "user": "U1"})
    job = studio.claim(studio.waiting("transcribe_recording"))
    studio.rows(
        "UPDATE jobs SET progress = CAST(:said AS jsonb) WHERE id = :id RETURNING 1",
        id=job.claimed.id, said='{"done": 750, "total": 3720, "unit": "s heard"}',
    )  # fmt: skip
    with studio.context.factory.begin() as session:
        show_progress.note(session, studio_recording(session, recording_id))
        show_progress.note(session, studio_recording(session, recording_id))
    studio.run("show_progress")
    studio.run_claimed(job)
    studio.run("show_progress")
    assert [kind for kind, _ in slack.messages] == ["post", "update"]
    assert "12:30 of 1:02:00 heard" in slack.messages[0][1]
    assert "told.wav* is transcribed" in slack.messages[1][1]


def test_other_doors_are_not_told(studio: Studio, speak: Callable[..., Path]) -> None:
    studio.add(speak("quiet.wav", "good morning everyone and welcome to the meeting"))
    studio.run("transcribe_recording")
    assert studio.rows("SELECT 1 FROM jobs WHERE kind = 'show_progress'") == []


def studio_recording(session: Any, recording_id: int) -> Any:
    from core.tables.meetings import Recording

    return session.get_one(Recording, recording_id)
