"""The whole road as a job walks it: from a media file to a transcript, over an interruption."""

import subprocess
from pathlib import Path

import pytest

from connectors.recordings.audio import read_windows
from connectors.recordings.channels import channels_to_read, listen
from connectors.recordings.probe import probe
from connectors.recordings.source import scan
from connectors.recordings.transcribers.protocol import transcript_of
from connectors.recordings.transcribers.select import make_transcriber
from connectors.recordings.transcript_files.beside import find_beside
from connectors.recordings.transcript_files.parse import parse

TURNS = [
    "what's the weather like today",
    "the weather is very good today",
    "thank you very much for the report",
]


@pytest.fixture(scope="module")
def transcriber():
    return make_transcriber("pocketsphinx")


def heard(path, transcriber, done=()):
    """Results as a job saves them: those of `done` first, then the rest of each channel."""
    track = probe(path).audio_tracks[0]
    yield from done
    for channel in channels_to_read(listen(path, track)):
        first = sum(1 for result in done if result.channel == channel)
        windows = read_windows(path, track=track.index, channel=channel, window_s=4, first_window=first)
        yield from transcriber.transcribe(windows, language="en")


def test_going_on_after_a_crash_gives_the_same_transcript(speak, transcriber):
    path = speak("talk.wav", ". ".join(TURNS))
    whole = list(heard(path, transcriber))
    assert len(whole) >= 2
    resumed = list(heard(path, transcriber, done=whole[:1]))
    assert resumed == whole
    transcript = transcript_of(
        resumed, engine=transcriber.name, warnings=transcriber.warnings, duration_s=probe(path).duration_s
    )
    assert transcript.engine == "PocketSphinx en-US" and "rough" in transcript.warnings[0]
    assert all(one.speaker is None for one in transcript.utterances)
    assert transcript.utterances[-1].end_s <= transcript.duration_s


def test_one_person_per_channel_is_told_apart(speak, ffmpeg, tmp_path, transcriber):
    """Two voices that take turns, each on its own side of a stereo file."""
    ada, bob = speak("ada.wav", TURNS[0], "en-us+f3"), speak("bob.wav", TURNS[1])
    call = tmp_path / "call.wav"
    length_s = probe(ada).duration_s
    mix = f"[0]apad[a];[1]adelay={round(length_s * 1000)}[b];[a][b]join=inputs=2:channel_layout=stereo,atrim=0:{2 * length_s}"
    subprocess.run([ffmpeg, "-v", "error", "-i", ada, "-i", bob, "-filter_complex", mix, call], check=True)
    results = list(heard(call, transcriber))
    assert {result.channel for result in results} == {0, 1}
    transcript = transcript_of(results, engine=transcriber.name, duration_s=2 * length_s)
    starts = {one.speaker: one.start_s for one in reversed(transcript.utterances)}
    assert starts["Channel 1"] < length_s <= starts["Channel 2"] + 0.5


def test_a_transcript_beside_the_recording_needs_no_engine(speak, tmp_path):
    path = speak("GMT20240115-100512_Recording_1920x1080.mp4.wav", TURNS[0])
    film = path.rename(tmp_path / "GMT20240115-100512_Recording_1920x1080.mp4")
    text = "WEBVTT\n\n1\n00:00:00.100 --> 00:00:01.500\nAda Lovelace: What's the weather like today?\n"
    (tmp_path / "GMT20240115-100512_Recording.transcript.vtt").write_text(text)
    beside = find_beside(film)
    (found,) = scan(str(tmp_path))
    assert Path(found.transcript_path) == beside and probe(film).duration_s > 1
    (utterance,) = parse(beside).utterances
    assert (utterance.speaker, utterance.text) == ("Ada Lovelace", "What's the weather like today?")
