"""Says what a media file holds and refuses what cannot be transcribed; decodes nothing, knows no speech."""

import json
import math
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.recordings.cut_off import is_ogg_cut_off, says_its_length
from connectors.recordings.ffmpeg import MediaLimits, ToolAnswer, input_arguments, run_tool, tool_path
from core.errors import BadInput

# A file whose last packet lies further than this before its declared end (or before its middle, when it is
# short) was cut off. Containers round and tracks end apart by a second or two; 2 % covers a trailing gap.
END_SLACK_S = 5.0
END_SLACK_SHARE = 0.02
# Containers that state their length up front. Elsewhere (mp3, adts, ogg) ffprobe estimates it from what is there.
DECLARED_LENGTH = frozenset({"mov", "matroska", "flac", "asf"})
# Sample entries of FairPlay, CENC and Audible files.
ENCRYPTED_TAGS = frozenset({"drms", "drmi", "enca", "encv", "aavd"})


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """`index` counts audio tracks only, from 0: ffmpeg's `0:a:index`. `language` is as tagged, None for `und`."""

    index: int
    codec: str
    channels: int
    sample_rate_hz: int
    language: str | None = None


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What the container says. `title` and `created_at` (aware, UTC) are None where no tag says so."""

    container: str
    duration_s: float
    audio_tracks: tuple[AudioTrack, ...]
    has_video: bool
    title: str | None = None
    created_at: datetime | None = None


def probe(path: Path, *, limits: MediaLimits = MediaLimits()) -> MediaFacts:
    """Look at one media file.

    Raises:
        BadInput: missing, empty, too large, too long, not media, a playlist, without an audio track, cut off
            or encrypted.
        NotConfigured: ffprobe is not installed.
    """
    _check_size(path, limits)
    described = _describe(path, limits)
    streams = [stream for stream in described.get("streams", []) if isinstance(stream, dict)]
    described_format = described.get("format", {})
    _refuse_encrypted(path, streams, described.get("packets", []))
    tracks = _audio_tracks(streams)
    if not tracks:
        raise BadInput(f"{path.name}: it has no audio track")
    container = str(described_format.get("format_name", "")).partition(",")[0]
    duration_s = _duration_s(path, described_format, container, limits)
    if duration_s > limits.max_duration_s:
        raise BadInput(
            f"{path.name}: {duration_s / 3600:.1f} h is longer than the limit of {limits.max_duration_s / 3600:.1f} h"
        )
    tags = _tags(described_format, streams)
    return MediaFacts(
        container=container,
        duration_s=duration_s,
        audio_tracks=tracks,
        has_video=any(_is_film(stream) for stream in streams),
        title=tags.get("title", "").strip()[:500] or None,
        created_at=_created_at(tags),
    )


def _check_size(path: Path, limits: MediaLimits) -> None:
    try:
        n_bytes = path.stat().st_size if path.is_file() else -1
    except (OSError, ValueError) as exc:
        raise BadInput(f"{path.name}: cannot be opened: {exc}") from exc
    if n_bytes < 0:
        raise BadInput(f"{path.name}: there is no such file")
    if n_bytes == 0:
        raise BadInput(f"{path.name}: the file is empty (0 bytes)")
    if n_bytes > limits.max_bytes:
        raise BadInput(
            f"{path.name}: {n_bytes / 1e9:.1f} GB is over the limit of {limits.max_bytes / 1e9:.1f} GB"
        )


def _describe(path: Path, limits: MediaLimits) -> dict[str, Any]:
    """Format, streams and the first packet, as ffprobe's JSON."""
    answer = _ffprobe(
        path,
        ["-show_format", "-show_streams", "-show_packets", "-read_intervals", "%+#1", "-of", "json"],
        limits,
    )
    if answer.returncode != 0:
        raise BadInput(f"{path.name}: {_why_unreadable(answer.complaint)}")
    try:
        described = json.loads(answer.stdout)
    except ValueError as exc:
        raise BadInput(f"{path.name}: ffprobe could not describe it") from exc
    return described if isinstance(described, dict) else {}


def _ffprobe(path: Path, arguments: list[str], limits: MediaLimits) -> ToolAnswer:
    command = [tool_path("ffprobe"), "-hide_banner", "-loglevel", "error", *arguments, *input_arguments(path)]
    return run_tool(command, what=path.name, timeout_s=limits.probe_timeout_s)


def _why_unreadable(complaint: str) -> str:
    if "not on whitelist" in complaint:
        return "playlists and formats that point at other files are not taken; give the media file itself"
    if "moov atom not found" in complaint:
        return "the file is cut off (its index is missing); copy or record it again"
    last_line = complaint.rpartition("\n")[2].rpartition(": ")[2][:200]
    return f"not a media file that can be read ({last_line or 'no reason given'})"


def _refuse_encrypted(path: Path, streams: list[dict[str, Any]], packets: list[dict[str, Any]]) -> None:
    tagged = any(stream.get("codec_tag_string") in ENCRYPTED_TAGS for stream in streams)
    side_data = [data for packet in packets for data in packet.get("side_data_list", [])]
    if tagged or any("ncryption" in str(data.get("side_data_type", "")) for data in side_data):
        raise BadInput(f"{path.name}: it is encrypted (DRM); export it without protection")


def _audio_tracks(streams: list[dict[str, Any]]) -> tuple[AudioTrack, ...]:
    sounding = [stream for stream in streams if stream.get("codec_type") == "audio"]
    return tuple(
        AudioTrack(
            index=index,
            codec=str(stream.get("codec_name", "unknown")),
            channels=int(stream.get("channels") or 0),
            sample_rate_hz=int(stream.get("sample_rate") or 0),
            language=_language(stream),
        )
        for index, stream in enumerate(sounding)
    )


def _language(stream: dict[str, Any]) -> str | None:
    tagged = str(stream.get("tags", {}).get("language", "und"))
    return None if tagged == "und" else tagged


def _is_film(stream: dict[str, Any]) -> bool:
    """A moving picture; a cover image is a video stream too, but an attached one."""
    attached = stream.get("disposition", {}).get("attached_pic", 0)
    return stream.get("codec_type") == "video" and not attached


def _duration_s(path: Path, described: dict[str, Any], container: str, limits: MediaLimits) -> float:
    """The declared length where it is true; measured where none is declared (a browser's WebM)."""
    declared_s = _seconds(described.get("duration"))
    if declared_s is None:
        return _last_packet_s(path, None, limits)
    if container in DECLARED_LENGTH:
        slack_s = min(max(END_SLACK_S, END_SLACK_SHARE * declared_s), declared_s / 2)
        reached_s = _last_packet_s(path, declared_s - slack_s, limits)
        if reached_s < declared_s - slack_s:
            raise BadInput(
                f"{path.name}: the file is cut off: it announces {declared_s:.0f} s, {reached_s:.0f} s are there"
            )
    elif (container == "wav" and _is_riff_cut_off(path)) or (container == "ogg" and is_ogg_cut_off(path)):
        raise BadInput(f"{path.name}: the file is cut off: less sound is there than its header announces")
    elif container == "mp3" and says_its_length(path):
        slack_s = min(max(END_SLACK_S, END_SLACK_SHARE * declared_s), declared_s / 2)
        # Read from the start: to seek in a cut-off file, tables are used that point behind its end.
        if (reached_s := _last_packet_s(path, None, limits)) < declared_s - slack_s:
            raise BadInput(
                f"{path.name}: the file is cut off: it announces {declared_s:.0f} s, {reached_s:.0f} s are there"
            )
    return declared_s


def _last_packet_s(path: Path, from_s: float | None, limits: MediaLimits) -> float:
    """Time of the latest packet at or after `from_s` (whole file for None), 0.0 when there is none."""
    interval = [] if from_s is None else ["-read_intervals", f"{from_s:.3f}%"]
    answer = _ffprobe(path, [*interval, "-show_entries", "packet=pts_time", "-of", "csv=p=0"], limits)
    times = (
        _seconds(line.partition(",")[0]) for line in answer.stdout.decode("ascii", "replace").splitlines()
    )
    return max((time_s for time_s in times if time_s is not None), default=0.0)


def _is_riff_cut_off(path: Path) -> bool:
    """Whether a RIFF header announces more bytes than the file has; 0 and 0xFFFFFFFF are streams' placeholders."""
    with path.open("rb") as file:
        header = file.read(8)
    if len(header) < 8 or header[:4] != b"RIFF":
        return False
    (announced,) = struct.unpack("<I", header[4:])
    return bool(0 < announced < 0xFFFFFF00 and announced + 8 > path.stat().st_size + 1)


def _seconds(value: object) -> float | None:
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _tags(described_format: dict[str, Any], streams: list[dict[str, Any]]) -> dict[str, str]:
    """Container tags over stream tags (Ogg keeps its tags in the stream), keys in lower case."""
    merged: dict[str, str] = {}
    for holder in [described_format, *streams]:
        for key, value in holder.get("tags", {}).items():
            merged.setdefault(str(key).lower(), str(value))
    return merged


def _created_at(tags: dict[str, str]) -> datetime | None:
    """`creation_time` of MP4, MOV and Matroska. Encoders write 1904 or 1970 when they do not know."""
    raw = tags.get("creation_time") or tags.get("com.apple.quicktime.creationdate") or ""
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.year > 1980 else None
