"""Sound goes when the policy says so; the transcript, its passages and what cites it stay."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, Conflict, NotFound
from core.transcript import Transcript, Utterance
from tests.workers.recordings.conftest import Studio
from workers import media_retention, recordings
from workers.intake import NewRecording, take_in

SAID = Utterance(0.0, 4.0, "We launch on January twenty-sixth.", "Carla Reyes")
VTT = b"WEBVTT\n\n00:00:00.000 --> 00:00:04.000\n<v Carla Reyes>We launch on January twenty-sixth.\n"


@pytest.fixture
def house(make_studio: Callable[..., Studio]) -> Studio:
    return make_studio(imp_keep_media_days=30, imp_recordings_audience="group:staff")


def heard(
    studio: Studio, sound: bytes = b"sound", transcript: bytes | None = VTT, *, days_old: int = 31
) -> int:
    stored = studio.context.blobs.put([sound], suffix=".wav", max_bytes=100)
    url = studio.context.blobs.put([transcript], suffix=".vtt", max_bytes=1000).url if transcript else None
    with studio.context.factory.begin() as session:
        new = NewRecording(stored, "launch.wav", "Launch review", transcript_url=url)
        recording_id, _ = take_in(session, studio.context.settings, new)
        recordings.finish(session, studio.context.settings, recording_id, Transcript((SAID,), "x", "en", 4.0))
    studio.rows(
        "UPDATE recordings SET created_at = now() - make_interval(days => :days) WHERE id = :id RETURNING id",
        days=days_old, id=recording_id,
    )  # fmt: skip
    studio.rows("UPDATE jobs SET state = 'done' WHERE kind = 'transcribe_recording' RETURNING id")
    return recording_id


def files(studio: Studio) -> set[str]:
    root = Path(studio.context.settings.blobs_url.removeprefix("file://"))
    return {path.suffix for path in root.rglob("*") if path.is_file()}


def test_old_sound_goes_and_words_stay(house: Studio) -> None:
    old, young = heard(house), heard(house, b"other", None, days_old=29)
    before = house.segments(old)
    assert media_retention.sweep(house.context) == 1
    assert media_retention.sweep(house.context) == 0
    assert house.row(old).media_expired_at is not None
    assert house.row(young).media_expired_at is None
    with pytest.raises(NotFound), house.context.blobs.local(house.row(old).blob_url):
        pass
    with house.context.blobs.local(house.row(young).blob_url) as kept:
        assert kept.read_bytes() == b"other"
    assert files(house) == {".wav", ".vtt"}
    assert house.segments(old) == before
    assert house.rows("SELECT markdown FROM documents WHERE details->>'recording_id' = :id", id=str(old))


def test_nothing_goes_without_a_policy(studio: Studio) -> None:
    recording_id = heard(studio, days_old=5000)
    assert media_retention.sweep(studio.context) == 0
    assert studio.row(recording_id).media_expired_at is None


def test_what_is_being_heard_keeps_its_sound(house: Studio) -> None:
    recording_id = heard(house)
    house.rows(
        "UPDATE jobs SET state = 'queued' WHERE kind = 'transcribe_recording' AND key = :id RETURNING id",
        id=str(recording_id),
    )
    assert media_retention.sweep(house.context) == 0
    house.rows("UPDATE recordings SET state = 'failed' WHERE id = :id RETURNING id", id=recording_id)
    house.rows("UPDATE jobs SET state = 'failed' WHERE kind = 'transcribe_recording' RETURNING id")
    assert media_retention.sweep(house.context) == 0, "without a transcript the sound is all there is"


def test_hearing_it_again_says_why_not_and_loses_nothing(house: Studio) -> None:
    recording_id = heard(house)
    media_retention.sweep(house.context)
    before = house.segments(recording_id)
    with pytest.raises(Conflict, match="was deleted on .* its transcript stays"):
        house.again("transcribe_recording", recording_id)
    assert house.segments(recording_id) == before
    assert house.row(recording_id).state == "transcribed"


def test_a_file_that_comes_again_expires_again(house: Studio) -> None:
    recording_id = heard(house)
    media_retention.sweep(house.context)
    assert heard(house) == recording_id
    assert house.row(recording_id).media_expired_at is None
    assert media_retention.sweep(house.context) == 1


def test_an_erased_file_is_refused_and_swept(house: Studio) -> None:
    stored = house.context.blobs.put([b"gone"], suffix=".wav", max_bytes=100)
    house.rows("INSERT INTO erased_files (sha256) VALUES (:sha256) RETURNING sha256", sha256=stored.sha256)
    with (
        house.context.factory.begin() as session,
        pytest.raises(BadInput, match="erased on .* stays erased"),
    ):
        take_in(session, house.context.settings, NewRecording(stored, "a.wav", "A"))
    media_retention.sweep(house.context)
    assert files(house) == set()
