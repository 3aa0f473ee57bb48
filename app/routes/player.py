"""`/recordings/{id}?t=SECONDS`: where citations lead. The recording plays from that second, the transcript beside it.

`/login/{token}` turns a personal token into a cookie, since browsers send no bearer header.
"""

import mimetypes
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from app.auth import COOKIE, Ctx, PersonId, current_person, may_open
from app.form_marks import form_mark
from app.media import ranged_response
from app.routes.review import minutes_values
from core.errors import NotFound
from core.tables.meetings import Recording
from core.tables.recording_files import RecordingFile
from workers.context import Context
from workers.meeting_files import playable
from workers.people import person_of_token
from workers.recordings import UNKNOWN_SPEAKER, load_transcript

router = APIRouter(tags=["player"], include_in_schema=False)
templates = Jinja2Templates(FilePath(__file__).parent.parent / "pages")
RecordingId = Annotated[int, Path(ge=1, le=2**31 - 1)]
WEEK_S = 7 * 24 * 3600


@router.get("/login/{token}")
def login(context: Ctx, token: str, next_path: Annotated[str, Query(alias="next")] = "/docs") -> Response:
    """Sign this browser in as the token's person."""
    with context.factory() as session:
        if person_of_token(session, token) is None:
            raise HTTPException(401, "this link is not valid any more")
    is_local = next_path.startswith("/") and not next_path.startswith(("//", "/\\"))
    reply = RedirectResponse(next_path if is_local else "/docs", status_code=303)
    is_https = context.settings.public_url.startswith("https://")
    reply.set_cookie(COOKIE, token, max_age=WEEK_S, httponly=True, samesite="lax", secure=is_https)
    return reply


@router.get("/recordings/{recording_id}", response_class=HTMLResponse)
def player(
    request: Request,
    context: Ctx,
    recording_id: RecordingId,
    t: Annotated[float, Query(ge=0, le=10**7, allow_inf_nan=False)] = 0.0,
) -> Response:
    """The recording at second `t`, for those who may open it."""
    try:
        person_id = current_person(request)
    except HTTPException:
        return templates.TemplateResponse(request, "sign_in.html", {}, status_code=401)
    recording = _visible(context, person_id, recording_id)
    with context.factory() as session:
        _, transcript = load_transcript(session, recording_id)
        sounds = [
            [one.from_s, f"/recordings/{recording_id}/media" + (f"/{one.file_id}" if one.file_id else "")]
            for one in playable(session, recording)
        ]
        shown = minutes_values(session, recording, person_id)
    values = {
        "recording": recording,
        "transcript": transcript,
        "t": t,
        "sounds": sounds if _has_sound(recording) else [],
        "unknown": UNKNOWN_SPEAKER,
        "clock": _clock,
        "minutes": shown,
        "speakers": list(dict.fromkeys(one.speaker or UNKNOWN_SPEAKER for one in transcript.utterances)),
        "form_mark": form_mark(request),
    }
    return templates.TemplateResponse(request, "player.html", values)


@router.get("/recordings/{recording_id}/media")
def media(request: Request, context: Ctx, person_id: PersonId, recording_id: RecordingId) -> Response:
    """The sound or film itself, in ranges as players ask for them."""
    recording = _with_sound(_visible(context, person_id, recording_id))
    kind = _media_type(recording.file_name)
    return ranged_response(
        context.blobs, recording.blob_url, recording.size_bytes, kind, request.headers.get("range")
    )


@router.get("/recordings/{recording_id}/media/{file_id}")
def part(
    request: Request, context: Ctx, person_id: PersonId, recording_id: RecordingId, file_id: RecordingId
) -> Response:
    """A further part of the meeting, for those who may open the recording."""
    _with_sound(_visible(context, person_id, recording_id))
    with context.factory() as session:
        file = session.get(RecordingFile, file_id)
    if file is None or file.recording_id != recording_id:
        raise NotFound("no such part of this recording")
    return ranged_response(
        context.blobs,
        file.blob_url,
        file.size_bytes,
        _media_type(file.file_name),
        request.headers.get("range"),
    )


def _with_sound(recording: Recording) -> Recording:
    if recording.media_expired_at is not None:
        raise NotFound(
            f"the sound was deleted on {recording.media_expired_at:%Y-%m-%d}; the transcript stays"
        )
    return recording


def _has_sound(recording: Recording) -> bool:
    return recording.media_expired_at is None and recording.blob_url != recording.transcript_url


def _media_type(file_name: str) -> str:
    """Only sound and film are named: a browser must not show anything else as a page of ours."""
    kind = mimetypes.guess_type(file_name)[0] or ""
    return kind if kind.startswith(("audio/", "video/")) else "application/octet-stream"


def _visible(context: Context, person_id: int, recording_id: int) -> Recording:
    with context.factory() as session:
        recording = session.get(Recording, recording_id)
    if recording is None:
        raise NotFound("no such recording")
    if recording.submitted_by != person_id and not may_open(context, person_id, recording.gate_ids):
        raise NotFound("no such recording")
    return recording


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"
