import os
import subprocess
import wave
from dataclasses import replace

import numpy as np
import pytest

from connectors.recordings import audio, channels
from connectors.recordings.audio import quietest_cut, read_windows, write_wav
from connectors.recordings.channels import channels_to_read, listen, measure
from connectors.recordings.ffmpeg import MediaLimits
from connectors.recordings.probe import AudioTrack, probe
from core.errors import BadInput

# Ten seconds of tone, half a second of silence at the end of each ten.
BURSTS = "aevalsrc='0.3*sin(2*PI*300*t)*lt(mod(t,10),9.5)':duration={seconds}:sample_rate=16000"


def test_windows_join_without_gap_and_end_in_silence(make_sound):
    path = make_sound("a.wav", BURSTS.format(seconds=65))
    windows = list(read_windows(path, window_s=25))
    assert [window.index for window in windows] == list(range(len(windows)))
    assert windows[0].start_s == 0
    for before, after in zip(windows, windows[1:], strict=False):
        assert after.start_s == pytest.approx(before.end_s)
        assert before.end_s % 10 > 9.5
        assert before.duration_s <= 25
    with wave.open(str(path)) as wav:
        whole = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    assert np.array_equal(np.concatenate([window.samples for window in windows]), whole)


def test_resuming_gives_the_same_windows(make_sound):
    path = make_sound("a.mp3", BURSTS.format(seconds=65))
    whole = list(read_windows(path, window_s=20))
    resumed = list(read_windows(path, window_s=20, first_window=2))
    assert [window.index for window in resumed] == [window.index for window in whole[2:]]
    for left, right in zip(resumed, whole[2:], strict=True):
        assert left.start_s == right.start_s
        assert np.array_equal(left.samples, right.samples)


def test_one_window_is_held_not_the_file(make_sound, monkeypatch):
    """Twenty minutes in ten-second windows: no array ever holds more than a window and a block."""
    sizes = []
    monkeypatch.setattr(audio.np, "concatenate", _recording(audio.np.concatenate, sizes))
    path = make_sound("a.flac", BURSTS.format(seconds=1200))
    n_samples = sum(len(window.samples) for window in read_windows(path, window_s=10))
    assert n_samples == 1200 * 16000
    assert max(sizes) <= 10 * 16000 + audio.READ_BYTES // 2


def _recording(concatenate, sizes):
    def recorded(arrays):
        joined = concatenate(arrays)
        sizes.append(len(joined))
        return joined

    return recorded


def test_cut_is_at_the_quietest_place_and_short_windows_stay_whole():
    samples = np.full(10 * 16000, 8000, np.int16)
    samples[7 * 16000 : 7 * 16000 + 4800] = 0
    assert quietest_cut(samples) / 16000 == pytest.approx(7.15, abs=0.02)
    assert quietest_cut(samples[:1000]) == 1000


def test_a_late_start_becomes_silence(make_sound, ffmpeg, tmp_path):
    """Sound that begins three seconds into a film keeps its place on the clock."""
    sound = make_sound("a.wav", "sine=frequency=300:duration=4")
    film = tmp_path / "film.mkv"
    subprocess.run(
        [
            ffmpeg,
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "color=size=64x64:duration=8",
            "-itsoffset",
            "3",
            "-i",
            sound,
        ]
        + ["-map", "0:v", "-map", "1:a", film],
        check=True,
    )
    (window,) = read_windows(film)
    loud = np.flatnonzero(np.abs(window.samples.astype(int)) > 1000)
    assert loud[0] / 16000 == pytest.approx(3, abs=0.1)


def test_second_track_and_single_channel(make_sound, ffmpeg, tmp_path):
    stereo = make_sound("s.wav", "aevalsrc='0.5*sin(2*PI*200*t)|0':duration=3:sample_rate=16000")
    both = tmp_path / "both.mka"
    silent = make_sound("n.wav", "anullsrc=sample_rate=16000:duration=3")
    subprocess.run(
        [ffmpeg, "-v", "error", "-i", silent, "-i", stereo, "-map", "0", "-map", "1", "-c:a", "flac", both],
        check=True,
    )
    (left,) = read_windows(both, track=1, channel=0)
    (right,) = read_windows(both, track=1, channel=1)
    assert left.channel == 0 and np.abs(left.samples).max() > 10000
    assert not right.samples.any()
    with pytest.raises(BadInput):
        list(read_windows(both, track=5))


def test_wav_is_normalized(make_sound, tmp_path):
    target = tmp_path / "out.wav"
    duration_s = write_wav(
        make_sound("a.m4a", "sine=frequency=300:duration=4:sample_rate=48000", "-ac", "2"), target
    )
    with wave.open(str(target)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16000, 1, 2)
        assert wav.getnframes() / 16000 == pytest.approx(duration_s) == pytest.approx(4, abs=0.1)


def test_reader_that_stops_early_leaves_no_process(make_sound, monkeypatch):
    started = []
    popen = subprocess.Popen
    path = make_sound("a.wav", BURSTS.format(seconds=300))
    monkeypatch.setattr(
        audio.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )
    windows = read_windows(path, window_s=5)
    next(windows)
    assert started[0].poll() is None
    windows.close()
    assert started[0].poll() is not None


def test_limits(make_sound, tmp_path):
    path = make_sound("a.wav", BURSTS.format(seconds=30))
    with pytest.raises(BadInput, match="limit"):
        list(read_windows(path, limits=replace(MediaLimits(), max_duration_s=10)))
    garbage = tmp_path / "x.mp3"
    garbage.write_bytes(os.urandom(5000))
    with pytest.raises(BadInput, match=r"x\.mp3"):
        list(read_windows(garbage))


def test_a_decoder_that_stands_still_is_killed(monkeypatch, make_sound):
    path = make_sound("a.wav", BURSTS.format(seconds=1))
    monkeypatch.setattr(audio, "_command", lambda *_: ["sleep", "60"])
    with pytest.raises(BadInput, match="stood still"):
        list(read_windows(path, limits=replace(MediaLimits(), stall_timeout_s=0.2)))


def test_a_chatty_decoder_leaves_one_bounded_line(monkeypatch, make_sound):
    path = make_sound("a.wav", BURSTS.format(seconds=1))
    chatty = "for i in $(seq 20000); do echo noise-$i >&2; done; echo 'x: last words' >&2; exit 1"
    monkeypatch.setattr(audio, "_command", lambda *_: ["sh", "-c", chatty])
    with pytest.raises(BadInput) as caught:
        list(read_windows(path))
    assert "last words" in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "source", ["anullsrc=duration=5", "aevalsrc=0.4:duration=5", "anoisesrc=amplitude=0.00003:duration=5"]
)
def test_silent_recordings_have_no_speech(make_sound, source):
    """Digital silence, a constant offset, and a converter's own noise."""
    path = make_sound("a.wav", source)
    with pytest.raises(BadInput, match="no speech"):
        listen(path, probe(path).audio_tracks[0])


def test_levels_of_a_known_tone(make_sound):
    """Amplitude 0.5 peaks at 20 log10 0.5 = -6.02 dBFS."""
    path = make_sound("a.wav", "aevalsrc=0.5*sin(2*PI*300*t):duration=2:sample_rate=16000")
    facts = listen(path, probe(path).audio_tracks[0])
    assert facts.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert facts.sound_s == pytest.approx(2, abs=0.05) and facts.duration_s == 2
    assert facts.correlation is None and channels_to_read(facts) == (None,)


def test_levels_do_not_depend_on_how_the_sound_arrives():
    tone = (8000 * np.sin(np.arange(32000) / 7)).astype(np.int16).reshape(-1, 1)
    drops = [tone[place : place + 137] for place in range(0, 32000, 137)]
    assert measure(drops) == measure([tone]) and measure(drops).sound_s == 2


def test_turns_on_two_microphones_are_read_one_by_one():
    rng = np.random.default_rng(3)
    left, right = (rng.normal(0, 3000, 16000 * 20) for _ in range(2))
    turn = (np.arange(16000 * 20) // 32000) % 2
    apart = np.stack([left * (turn == 0), right * (turn == 1)], axis=1).astype(np.int16)
    assert channels_to_read(measure([apart])) == (0, 1)


@pytest.mark.parametrize(
    "mix",
    [
        pytest.param(lambda a, b: (a, a), id="same on both"),
        pytest.param(lambda a, b: (a + 0.5 * b, 0.5 * a + b), id="one room in stereo"),
        pytest.param(lambda a, b: (a, 0 * a), id="one side dead"),
        pytest.param(lambda a, b: (a, -a), id="inverted"),
        pytest.param(lambda a, b: (a, b), id="both all the time"),
    ],
)
def test_other_stereo_is_mixed(mix):
    rng = np.random.default_rng(3)
    left, right = mix(*(rng.normal(0, 3000, 16000 * 10) for _ in range(2)))
    assert channels_to_read(measure([np.stack([left, right], axis=1).astype(np.int16)])) == (None,)


def test_correlation_has_the_value_of_the_reference():
    rng = np.random.default_rng(5)
    pair = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 16000) * 3000
    block = pair.astype(np.int16)
    assert measure([block[:7000], block[7000:]]).correlation == pytest.approx(
        np.corrcoef(block.T)[0, 1], abs=0.01
    )
    assert channels.MOST_CORRELATION < 0.4


def test_real_stereo(shared_data, ffmpeg):
    apart, together = shared_data("audio/stereo_diarization.wav"), shared_data("audio/jfk.flac")
    track = AudioTrack(0, "any", 2, 16000)
    assert channels_to_read(listen(apart, track)) == (0, 1)
    assert channels_to_read(listen(together, track)) == (None,)
