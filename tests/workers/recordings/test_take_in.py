"""The same recording given twice: what the second giver may mend, and what stays."""

import pytest
from sqlalchemy.orm import Session

from core.blobs import Stored
from core.settings import load_settings
from core.tables.meetings import Recording
from workers.intake import NewRecording, take_in


def given(transcript_url: str | None) -> NewRecording:
    stored = Stored(url="file:///blobs/a", sha256="a" * 64, size_bytes=10, is_new=True)
    return NewRecording(stored, "weekly.ogg", "Weekly", transcript_url=transcript_url)


@pytest.mark.parametrize(("state", "kept"), [("failed", "file:///good"), ("transcribed", "file:///bad")])
def test_another_transcript_mends_a_recording_that_failed(db_session: Session, state: str, kept: str) -> None:
    settings = load_settings()
    recording_id, is_new = take_in(db_session, settings, given("file:///bad"))
    assert is_new
    recording = db_session.get_one(Recording, recording_id)
    recording.state, recording.error = state, "bad.vtt: it is a binary file" if state == "failed" else None
    db_session.flush()
    assert take_in(db_session, settings, given("file:///good")) == (recording_id, False)
    assert (recording.transcript_url, recording.error) == (kept, None)
