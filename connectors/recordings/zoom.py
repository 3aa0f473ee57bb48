"""Zoom's webhooks about cloud recordings: who sent it, what was recorded, which files make up the meeting.

Knows no route, no table, and fetches nothing.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput, Denied

MAX_BODY_BYTES = 1024 * 1024
# Zoom's own advice against replays.
MOST_AGE_S = 300
MOST_FILES = 200
RECORDED = ("recording.completed", "recording.transcript_completed")
# Which picture of one and the same stretch is kept: the fullest; its sound is the same in all.
VIEWS = (
    "shared_screen_with_speaker_view", "shared_screen_with_gallery_view", "shared_screen", "active_speaker",
    "speaker_view", "gallery_view", "audio_only",
)  # fmt: skip
TRACK_NAME = re.compile(r"^(?:audio[ _]only|audio)\s*[-–_:]\s*(?P<name>.+?)(?:\.\w{2,4})?$", re.IGNORECASE)


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ZoomFile(_Said):
    """A file of a meeting as Zoom names it."""

    id: str = ""
    recording_start: AwareDatetime
    recording_end: AwareDatetime | None = None
    file_type: str = ""
    file_extension: str = ""
    file_size: int = 0
    file_name: str = ""
    download_url: str = Field(max_length=4000)
    status: str = "completed"
    recording_type: str = ""


class ZoomMeeting(_Said):
    """`payload.object`. `uuid` names this one meeting, `id` may be a room used again each week."""

    uuid: str = Field(min_length=1, max_length=300)
    topic: str = ""
    start_time: AwareDatetime | None = None
    host_email: str = ""
    recording_files: list[ZoomFile] = Field(default_factory=list, max_length=MOST_FILES)
    participant_audio_files: list[ZoomFile] = Field(default_factory=list, max_length=MOST_FILES)


class _Payload(_Said):
    plain_token: str | None = Field(None, alias="plainToken", max_length=500)
    object: ZoomMeeting | None = None


class _Event(_Said):
    event: str = Field(max_length=100)
    event_ts: int = 0
    download_token: str = Field("", max_length=10_000)
    payload: _Payload = Field(default_factory=_Payload)


@dataclass(frozen=True, slots=True)
class ZoomEvent:
    """A verified delivery. `challenge` is Zoom's question at set-up; `meeting` is None where nothing was recorded."""

    delivery_id: str
    event: str
    challenge: str | None = None
    meeting: ZoomMeeting | None = None
    download_token: str = ""


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file to fetch. `role`: media (a stretch of the meeting), track (one person's microphone), transcript."""

    role: str
    url: str
    name: str
    starts_at: datetime
    size_bytes: int = 0
    speaker: str | None = None


def accept(
    headers: Mapping[str, str], raw_body: bytes, secret: str, *, now_s: float | None = None
) -> ZoomEvent:
    """Verify a delivery (`x-zm-signature` over time and body) and read it.

    Raises:
        Denied: not signed with the app's secret token, or older than five minutes.
        BadInput: too large, or not what Zoom sends.
    """
    if len(raw_body) > MAX_BODY_BYTES:
        raise BadInput(f"the webhook is larger than {MAX_BODY_BYTES} bytes")
    given = {name.lower(): value for name, value in headers.items()}
    _verify(given.get("x-zm-request-timestamp", ""), given.get("x-zm-signature", ""), raw_body, secret, now_s)
    try:
        said = _Event.model_validate_json(raw_body)
    except ValidationError as exc:
        raise BadInput(f"not a webhook of Zoom: {exc.errors(include_input=False)[0]['msg']}") from exc
    if said.event == "endpoint.url_validation":
        if not said.payload.plain_token:
            raise BadInput("endpoint.url_validation without plainToken")
        return ZoomEvent("", said.event, challenge=said.payload.plain_token)
    meeting = said.payload.object if said.event in RECORDED else None
    delivery_id = hashlib.sha256(raw_body).hexdigest()
    return ZoomEvent(
        delivery_id,
        said.event,
        meeting=meeting,
        download_token=said.download_token,
    )


def challenge_answer(challenge: str, secret: str) -> dict[str, str]:
    """What Zoom wants to hear before it sends anything."""
    return {"plainToken": challenge, "encryptedToken": _hmac(challenge.encode(), secret)}


def wanted_files(meeting: ZoomMeeting) -> tuple[WantedFile, ...]:
    """The files that make up the meeting: one film (or sound) a stretch, each person's track, the transcript.

    Other views of the same stretch, chat, timelines and summaries are left out.
    """
    done = [one for one in meeting.recording_files if one.status in ("completed", "")]
    media = [one for one in done if one.file_type.upper() in ("MP4", "M4A")]
    starts = sorted({one.recording_start for one in media})
    wanted = [
        _media(min((one for one in media if one.recording_start == start), key=_rank)) for start in starts
    ]
    tracks = [one for one in meeting.participant_audio_files if one.status in ("completed", "")]
    wanted += [
        _track(one, number) for number, one in enumerate(sorted(tracks, key=lambda one: one.recording_start))
    ]
    wanted += [_transcript(one) for one in done if one.file_type.upper() == "TRANSCRIPT"]
    captions = [one for one in done if one.file_type.upper() == "CC"]
    if not any(one.role == "transcript" for one in wanted):
        wanted += [_transcript(one) for one in captions]
    return tuple(wanted)


def _media(file: ZoomFile) -> WantedFile:
    ending = "mp4" if file.file_type.upper() == "MP4" else "m4a"
    name = f"GMT{file.recording_start.astimezone(UTC):%Y%m%d-%H%M%S}_Recording.{ending}"
    return WantedFile("media", file.download_url, name, file.recording_start.astimezone(UTC), file.file_size)


def _track(file: ZoomFile, number: int) -> WantedFile:
    match = TRACK_NAME.match(file.file_name.strip())
    speaker = " ".join((match["name"] if match else "").replace("_", " ").split())[:120] or None
    return WantedFile(
        "track", file.download_url, f"track-{number + 1}.m4a", file.recording_start.astimezone(UTC),
        file.file_size, speaker,
    )  # fmt: skip


def _transcript(file: ZoomFile) -> WantedFile:
    name = f"GMT{file.recording_start.astimezone(UTC):%Y%m%d-%H%M%S}_Recording.transcript.vtt"
    return WantedFile(
        "transcript", file.download_url, name, file.recording_start.astimezone(UTC), file.file_size
    )


def _rank(file: ZoomFile) -> tuple[bool, int, str]:
    kind = file.recording_type.partition("(")[0].lower()
    return file.file_type.upper() != "MP4", VIEWS.index(kind) if kind in VIEWS else len(VIEWS), file.id


def _verify(stamp: str, signature: str, raw_body: bytes, secret: str, now_s: float | None) -> None:
    if not secret:
        raise Denied("webhooks of Zoom are off: ZOOM_WEBHOOK_SECRET is not set")
    age_s = (
        abs((time.time() if now_s is None else now_s) - int(stamp))
        if re.fullmatch(r"\d{1,12}", stamp)
        else None
    )
    expected = "v0=" + _hmac(b"v0:" + stamp.encode("utf-8", "replace") + b":" + raw_body, secret)
    is_right = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
    if age_s is None or age_s > MOST_AGE_S or not is_right:
        raise Denied("the webhook is not signed with ZOOM_WEBHOOK_SECRET, or is older than five minutes")


def _hmac(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def meeting_json(meeting: ZoomMeeting) -> str:
    """As it travels in a job's arguments."""
    return meeting.model_dump_json(by_alias=True)


def meeting_from_json(raw: str) -> ZoomMeeting:
    """Raises BadInput for what `meeting_json` did not write."""
    try:
        return ZoomMeeting.model_validate(json.loads(raw))
    except ValueError as exc:
        raise BadInput("the job does not hold a meeting of Zoom") from exc


def participants(files: Sequence[WantedFile]) -> tuple[str, ...]:
    """Whose microphones were recorded."""
    return tuple(dict.fromkeys(one.speaker for one in files if one.speaker))
