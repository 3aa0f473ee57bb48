import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.recordings import ffmpeg as ffmpeg_module
from connectors.recordings.ffmpeg import MediaLimits
from connectors.recordings.probe import probe
from core.errors import BadInput, NotConfigured

SINE = "sine=frequency=300:duration=8"
NOISE = "anoisesrc=duration=60:sample_rate=16000"


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("a.wav", "wav", "pcm_s16le"),
        ("a.mp3", "mp3", "mp3"),
        ("a.m4a", "mov", "aac"),
        ("a.flac", "flac", "flac"),
        ("a.ogg", "ogg", "vorbis"),
        ("a.mkv", "matroska", "vorbis"),
        ("a.webm", "matroska", "opus"),
    ],
)
def test_says_what_a_file_holds(make_sound, name, container, codec):
    facts = probe(make_sound(name, SINE, "-ac", "2"))
    assert facts.container == container
    assert facts.duration_s == pytest.approx(8, abs=0.2)
    (track,) = facts.audio_tracks
    assert (track.index, track.codec, track.channels) == (0, codec, 2)
    assert not facts.has_video


def test_a_wrong_extension_does_not_matter(make_sound):
    sound = make_sound("a.flac", SINE)
    assert probe(sound.rename(sound.with_name("notes.txt"))).container == "flac"


def test_reads_tags_and_every_audio_track(make_sound, ffmpeg, tmp_path):
    sound = make_sound("a.wav", SINE)
    film = tmp_path / "film.mp4"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=size=64x64:duration=8", "-i", sound, "-i", sound]
        + ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-metadata:s:a:1", "language=ger"]
        + ["-metadata", "title=Planning", "-metadata", "creation_time=2024-01-15T10:00:00+01:00", film],
        check=True,
    )
    facts = probe(film)
    assert facts.has_video
    assert [(track.index, track.language) for track in facts.audio_tracks] == [(0, None), (1, "ger")]
    assert facts.title == "Planning"
    assert facts.created_at == datetime(2024, 1, 15, 9, tzinfo=UTC)


def test_a_cover_image_is_no_film(make_sound, ffmpeg, tmp_path):
    sound, cover = make_sound("a.mp3", SINE), make_sound("c.png", "color=size=64x64", "-frames:v", "1")
    target = tmp_path / "covered.mp3"
    subprocess.run(
        [ffmpeg, "-v", "error", "-i", sound, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", target],
        check=True,
    )
    assert not probe(target).has_video


def test_measures_a_stream_that_declares_no_length(make_sound, ffmpeg, tmp_path):
    """A browser's recording: WebM written to a pipe has no duration in its header."""
    target = tmp_path / "live.webm"
    with target.open("wb") as out:
        command = [ffmpeg, "-v", "error", "-i", make_sound("a.wav", SINE), "-f", "webm", "-live", "1", "-"]
        subprocess.run(command, stdout=out, check=True)
    assert probe(target).duration_s == pytest.approx(8, abs=0.2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ()),
        ("a.flac", ()),
        ("a.mkv", ("-c:a", "pcm_s16le")),
        ("a.m4a", ("-movflags", "+faststart")),
        ("b.m4a", ()),
        ("a.mp3", ()),
        ("vbr.mp3", ("-q:a", "5", "-metadata", "title=" + "long title " * 200)),
        ("a.ogg", ("-c:a", "libvorbis")),
        ("a.opus", ()),
    ],
)
def test_a_file_cut_in_half_is_refused(make_sound, name, options):
    path = make_sound(name, NOISE, *options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadInput, match="cut off"):
        probe(path)


@pytest.mark.parametrize("options", [("-write_xing", "0"), ()])
def test_an_mp3_that_is_whole_is_taken(make_sound, options):
    assert probe(make_sound("whole.mp3", NOISE, *options)).duration_s == pytest.approx(60, abs=0.2)


def test_a_streamed_wav_with_placeholder_sizes_is_taken(make_sound, ffmpeg, tmp_path):
    target = tmp_path / "piped.wav"
    with target.open("wb") as out:
        subprocess.run(
            [ffmpeg, "-v", "error", "-i", make_sound("a.mp3", SINE), "-f", "wav", "-"], stdout=out, check=True
        )
    assert probe(target).duration_s == pytest.approx(8, abs=0.2)


def test_encrypted_sound_is_refused(make_sound):
    path = make_sound(
        *(
            "a.m4a",
            SINE,
            "-encryption_scheme",
            "cenc-aes-ctr",
            "-encryption_key",
            "76a6c65c5ea762046bd749a2e632ccbb",
        ),
        *("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
    )
    with pytest.raises(BadInput, match="encrypted"):
        probe(path)


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile {secret}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{secret}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    ],
)
@pytest.mark.parametrize("name", ["list.mp3", "list.m3u8", "list.txt"])
def test_playlists_open_no_other_file(make_sound, tmp_path, playlist, name):
    secret = make_sound("secret.wav", SINE)
    path = tmp_path / name
    path.write_text(playlist.format(secret=secret))
    with pytest.raises(BadInput):
        probe(path)


def test_names_that_look_like_options_or_protocols_are_plain_names(make_sound, monkeypatch, tmp_path):
    sound = make_sound("a.wav", SINE)
    monkeypatch.chdir(tmp_path)
    for name in ("-i", "concat:a.wav|a.wav", "http:x.wav", "%03d.wav", "ü ñ 'q'.wav"):
        path = Path(name)
        path.write_bytes(sound.read_bytes())
        assert probe(path).container == "wav"


def test_missing_empty_directory_and_oversized(make_sound, tmp_path):
    (tmp_path / "empty.mp3").touch()
    sound = make_sound("a.wav", SINE)
    for path, limits, reason in [
        (tmp_path / "nothing.mp3", MediaLimits(), "no such file"),
        (tmp_path, MediaLimits(), "no such file"),
        (tmp_path / "empty.mp3", MediaLimits(), "empty"),
        (sound, MediaLimits(max_bytes=1000), "limit"),
        (sound, MediaLimits(max_duration_s=5), "limit"),
    ]:
        with pytest.raises(BadInput, match=reason):
            probe(path, limits=limits)


def test_film_without_sound_and_text(make_sound, tmp_path):
    with pytest.raises(BadInput, match="no audio track"):
        probe(make_sound("silent.mp4", "color=size=64x64:duration=2"))
    text = tmp_path / "a.mp3"
    text.write_text("this is a letter\n" * 200)
    with pytest.raises(BadInput, match="not a media file"):
        probe(text)


@pytest.mark.parametrize(
    "name", ["audio/bad/missing_wav_header.wav", "files/bad/random.bin", "files/bad/empty.pdf"]
)
def test_real_garbage(shared_data, ffmpeg, name):
    with pytest.raises(BadInput):
        probe(shared_data(name))


def test_real_media(shared_data, ffmpeg):
    for path in shared_data("audio").glob("*.*"):
        if path.suffix in (".wav", ".flac", ".mp3", ".m4a", ".mp4"):
            assert probe(path).duration_s > 1


def test_without_ffmpeg_names_the_package(make_sound, monkeypatch):
    path = make_sound("a.wav", SINE)
    monkeypatch.setattr(ffmpeg_module.shutil, "which", lambda name: None)
    with pytest.raises(NotConfigured, match="apt-get install ffmpeg"):
        probe(path)


def test_a_slow_tool_is_killed(make_sound):
    with pytest.raises(BadInput, match="longer than"):
        probe(make_sound("a.wav", SINE), limits=replace(MediaLimits(), probe_timeout_s=0.001))
