"""Recordings become transcripts: beside first, heard otherwise, resumed after a kill, refused with a reason."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, ClaimLost, NotConfigured, Unavailable
from tests.workers.recordings.conftest import MEETINGS, SPEECH, TINY_WHISPER, Studio

VTT = b"WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<v Ann Able>We launch on Monday.</v>\n"


@pytest.fixture(scope="module")
def meeting(speak: Callable[..., Path], make_sound: Callable[..., Path]) -> Path:
    """Some 30 seconds of speech with pauses, for windows of 10 seconds."""
    said = [
        speak(f"part{number}.wav", words)
        for number, words in enumerate(
            ["good morning everybody and thank you for coming", "we decided to keep the old copies for seven days",
             "i will write a letter to the customers on monday", "the server had no more room for files"]
        )
    ]  # fmt: skip
    sources = [argument for path in said * 2 for argument in ("-i", str(path))]
    joined = "".join(f"[{n}:a]apad=pad_dur=1[p{n}];" for n in range(len(said) * 2))
    joined += "".join(f"[p{n}]" for n in range(len(said) * 2)) + f"concat=n={len(said) * 2}:v=0:a=1"
    return make_sound("meeting.flac", *sources, "-filter_complex", joined)


def test_a_transcript_beside_is_used_first(studio: Studio) -> None:
    recording_id = studio.add(MEETINGS / "launch-review.ogg")
    outcome = studio.run("transcribe_recording")
    row = studio.row(recording_id)
    assert row.state == "transcribed"
    assert row.engine == outcome["engine"]
    assert "transcript file" in row.engine
    assert 170 < row.duration_s < 600
    segments = studio.segments(recording_id)
    assert {segment[3] for segment in segments} == {
        "Carla Reyes",
        "Frank Tanaka",
        "Alice Marlow",
        "Ben Okafor",
    }
    assert [segment[0] for segment in segments] == list(range(len(segments)))
    [document] = studio.rows("SELECT * FROM documents")
    assert document.kind == "transcript"
    assert document.gate_ids is None, "nobody said who may read it, so it stays closed"
    assert "Frank Tanaka: Sounds good." in document.markdown
    assert studio.waiting("index_document")
    assert studio.waiting("draft_minutes")


def test_running_twice_gives_the_same_rows(studio: Studio) -> None:
    recording_id = studio.add(MEETINGS / "launch-review.ogg")
    studio.run("transcribe_recording")
    first = (
        studio.segments(recording_id),
        studio.row(recording_id),
        studio.rows("SELECT id, content_hash FROM documents"),
    )
    studio.again("transcribe_recording", recording_id)
    second = (
        studio.segments(recording_id),
        studio.row(recording_id),
        studio.rows("SELECT id, content_hash FROM documents"),
    )
    assert second == first
    assert studio.add(MEETINGS / "launch-review.ogg") == recording_id


def test_pocketsphinx_says_that_it_is_rough(studio: Studio, meeting: Path) -> None:
    recording_id = studio.add(meeting)
    outcome = studio.run("transcribe_recording")
    row = studio.row(recording_id)
    assert outcome["engine"] == row.engine == "PocketSphinx en-US"
    assert any("rough" in warning for warning in row.warnings)
    heard = " ".join(segment[4] for segment in studio.segments(recording_id))
    assert "morning" in heard or "decide" in heard
    assert {segment[3] for segment in studio.segments(recording_id)} == {None}


class _Killed(BaseException):
    """Stands for SIGKILL: no handler of ours may run."""


@pytest.mark.parametrize("n_windows_heard", [1, 2])
def test_a_kill_costs_one_window(
    make_studio: Callable[..., Studio], meeting: Path, monkeypatch: pytest.MonkeyPatch, n_windows_heard: int
) -> None:
    studio = make_studio(imp_transcriber="pocketsphinx", imp_window_s=10)
    recording_id = studio.add(meeting)
    studio.run("transcribe_recording")
    uninterrupted, row = studio.segments(recording_id), studio.row(recording_id)

    with studio.context.factory.begin() as session:
        from core import jobs

        job_id = jobs.enqueue(session, "transcribe_recording", str(recording_id), recording_id=recording_id)
    killed = studio.claim(job_id)
    engine = studio.context.transcriber
    whole = type(engine).transcribe
    heard: list[int] = []

    def dying(self, windows, **options):  # type: ignore[no-untyped-def]
        for result in whole(self, windows, **options):
            if len(heard) == n_windows_heard:
                raise _Killed
            heard.append(result.index)
            yield result

    monkeypatch.setattr(type(engine), "transcribe", dying)
    with pytest.raises(_Killed):
        studio.run_claimed(killed)
    assert heard == list(range(n_windows_heard))
    assert 0 < len(studio.segments(recording_id)) < len(uninterrupted)

    resumed_at: list[int] = []

    def listening(self, windows, **options):  # type: ignore[no-untyped-def]
        for result in whole(self, windows, **options):
            resumed_at.append(result.index)
            yield result

    monkeypatch.setattr(type(engine), "transcribe", listening)
    second = studio.claim(job_id, stale_s=-3600)
    studio.run_claimed(second)
    assert resumed_at[0] == n_windows_heard
    assert studio.segments(recording_id) == uninterrupted
    assert studio.row(recording_id) == row
    # The first worker wakes up again and can write nothing.
    with pytest.raises(ClaimLost), studio.context.factory.begin() as session:
        killed.save(session, next_window=99)


def test_windows_of_another_engine_are_heard_again(make_studio: Callable[..., Studio], meeting: Path) -> None:
    studio = make_studio(imp_transcriber="pocketsphinx", imp_window_s=10)
    recording_id = studio.add(meeting)
    job = studio.claim(studio.waiting("transcribe_recording"))
    with studio.context.factory.begin() as session:
        job.save(session, engine="another engine", channel=0, next_window=3, n_saved=1)
        from core.transcript import Utterance
        from workers.recordings import add_segments

        add_segments(session, recording_id, 0, [Utterance(0, 1, "nonsense of another engine")])
    studio.run_claimed(job)
    assert "another engine" not in " ".join(segment[4] for segment in studio.segments(recording_id))
    assert studio.segments(recording_id)[0][1] < 10


def test_one_person_a_channel(
    studio: Studio, speak: Callable[..., Path], make_sound: Callable[..., Path]
) -> None:
    left = speak("left.wav", "good morning, the server had no more room")
    right = speak("right.wav", "i will write a letter to the customers on monday")
    call = make_sound(
        "call.wav", "-i", str(left), "-i", str(right), "-filter_complex",
        "[1:a]adelay=6000[late];[0:a]apad=whole_dur=10[l];[late]apad=whole_dur=10[r];[l][r]join=inputs=2:channel_layout=stereo",
    )  # fmt: skip
    recording_id = studio.add(call)
    studio.run("transcribe_recording")
    segments = studio.segments(recording_id)
    assert {segment[3] for segment in segments} == {"Channel 1", "Channel 2"}
    assert [segment[1] for segment in segments] == sorted(segment[1] for segment in segments)
    assert segments[0][3] == "Channel 1"
    assert segments[-1][3] == "Channel 2"


@pytest.mark.slow
def test_whisper_hears_what_was_said(make_studio: Callable[..., Studio]) -> None:
    if not (TINY_WHISPER / "model.bin").exists():
        pytest.skip("the tiny Whisper of the tests is not built here")
    studio = make_studio(imp_transcriber=f"faster-whisper:{TINY_WHISPER}")
    recording_id = studio.add(SPEECH / "decisions.ogg")
    outcome = studio.run("transcribe_recording")
    assert outcome["engine"].startswith("faster-whisper")
    heard = " ".join(segment[4] for segment in studio.segments(recording_id)).lower()
    assert "we decided to move the room to wednesday" in heard
    studio.run("draft_minutes")
    [row] = studio.rows("SELECT lines FROM minutes")
    assert any("Wednesday" in line["text"] for line in row.lines if line["section"] == "decision")


def _refused(studio: Studio, recording_id: int) -> str:
    with pytest.raises(BadInput):
        studio.run("transcribe_recording")
    row = studio.row(recording_id)
    assert row.state == "failed"
    assert studio.rows("SELECT 1 FROM documents") == []
    assert studio.rows("SELECT 1 FROM jobs WHERE kind <> 'transcribe_recording'") == []
    assert studio.rows("SELECT error FROM jobs") == [(row.error,)]
    return str(row.error)


@pytest.mark.parametrize(
    "relative",
    ["audio/bad/empty.wav", "audio/bad/missing_wav_header.wav", "files/bad/random.bin",
     "audio/video-no-speech-big_buck_bunny.mp4"],
)  # fmt: skip
def test_what_cannot_be_transcribed_fails_with_its_reason(
    studio: Studio, shared_data: Callable[[str], Path], relative: str
) -> None:
    path = shared_data(relative)
    reason = _refused(studio, studio.upload(path))
    assert path.name in reason, "the file as its giver knows it, not the blob's hash"


def test_silence_is_no_meeting(studio: Studio, make_sound: Callable[..., Path]) -> None:
    silence = make_sound("silence.wav", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono:d=20")
    assert "no speech" in _refused(studio, studio.upload(silence))


def test_noise_is_no_meeting(studio: Studio, make_sound: Callable[..., Path]) -> None:
    hum = make_sound("hum.wav", "-f", "lavfi", "-i", "sine=frequency=100:duration=8:sample_rate=16000")
    assert "no speech" in _refused(studio, studio.upload(hum))


@pytest.mark.parametrize(
    "content", [b"WEBVTT\n\nnothing timed", b"\x00\x01\x02" * 50, b"WEBVTT\n\n" + VTT[:8]]
)
def test_a_broken_transcript_fails_alone(studio: Studio, meeting: Path, content: bytes) -> None:
    broken = studio.upload(meeting, content, name="weekly.vtt")
    with pytest.raises(BadInput, match="weekly"):
        studio.run("transcribe_recording")
    assert "weekly.vtt" in studio.row(broken).error
    sound = studio.upload(MEETINGS / "launch-review.ogg", VTT)
    studio.run("transcribe_recording")
    assert studio.row(sound).state == "transcribed"
    assert studio.row(broken).state == "failed"


def test_a_transcript_given_later_mends_a_failed_recording(
    studio: Studio, make_sound: Callable[..., Path]
) -> None:
    silence = make_sound("mute.wav", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono:d=3")
    recording_id = studio.upload(silence)
    _refused(studio, recording_id)
    assert studio.upload(silence, VTT) == recording_id
    studio.run("transcribe_recording")
    row = studio.row(recording_id)
    assert (row.state, row.error) == ("transcribed", None)
    assert studio.segments(recording_id)[0][3:5] == ("Ann Able", "We launch on Monday.")


def test_a_transcript_without_a_name_is_read_all_the_same(studio: Studio, meeting: Path) -> None:
    recording_id = studio.upload(meeting, VTT, name="")
    studio.run("transcribe_recording")
    assert studio.row(recording_id).state == "transcribed"


def test_a_transcript_far_longer_than_the_sound_is_doubted(
    studio: Studio, make_sound: Callable[..., Path]
) -> None:
    short = make_sound("short.wav", "-f", "lavfi", "-i", "sine=duration=2")
    late = VTT.replace(b"00:00:02.000", b"00:45:00.000")
    recording_id = studio.upload(short, late)
    studio.run("transcribe_recording")
    assert any("may not belong together" in warning for warning in studio.row(recording_id).warnings)


def test_an_engine_that_cannot_run_is_said_on_the_recording(
    make_studio: Callable[..., Studio], meeting: Path
) -> None:
    studio = make_studio(imp_transcriber="faster-whisper:/nowhere/model")
    recording_id = studio.add(meeting)
    with pytest.raises(NotConfigured):
        studio.run("transcribe_recording")
    assert studio.row(recording_id).state == "failed"
    assert "/nowhere/model" in studio.row(recording_id).error


def test_a_passing_fault_leaves_the_recording_to_the_next_try(
    studio: Studio, meeting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = studio.add(meeting)

    def away(*_: object, **__: object) -> None:
        raise Unavailable("the speech server is away")

    monkeypatch.setattr(type(studio.context.transcriber), "transcribe", away)
    with pytest.raises(Unavailable):
        studio.run("transcribe_recording")
    assert studio.row(recording_id).state == "transcribing"


def test_a_file_that_is_no_media_is_refused_at_the_local_door(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "notes.mp3"
    path.write_text("not sound at all")
    with pytest.raises(BadInput, match=r"notes\.mp3"):
        studio.add(path)
    assert studio.rows("SELECT 1 FROM recordings") == []
    assert not list((tmp_path / "home").rglob("*.mp3"))


def test_what_lies_beside_a_file_comes_with_it(studio: Studio, tmp_path: Path, meeting: Path) -> None:
    shutil.copy(meeting, tmp_path / "weekly.flac")
    (tmp_path / "weekly.vtt").write_bytes(VTT)
    (tmp_path / "weekly.ics").write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:1\nSUMMARY:Platform weekly\n"
        "DTSTART:20261105T093000Z\nDTEND:20261105T100000Z\nATTENDEE;CN=Ann Able:mailto:ann@example.org\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )
    row = studio.row(studio.add(tmp_path / "weekly.flac"))
    assert row.title == "Platform weekly"
    assert f"{row.started_at:%Y-%m-%dT%H:%M}" == "2026-11-05T09:30"
    assert row.participants == ["Ann Able"]
    assert row.transcript_url is not None
