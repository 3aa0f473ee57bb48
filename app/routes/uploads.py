"""Large recordings in pieces that survive a broken line: the tus protocol, version 1.0, below `/v1/recordings`.

Core, and the extensions creation, expiration and termination; https://tus.io/protocols/resumable-upload says what
the headers mean. `GET` on an upload tells, beyond the protocol, what became of it.
"""

import base64
import binascii
import re
import tempfile
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import IO, Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from app.auth import Ctx, PersonId
from core.errors import BadInput
from core.settings import Settings
from workers import uploads
from workers.context import Context
from workers.uploads import UploadFacts

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
PIECE_TYPE = "application/offset+octet-stream"
# Of a longer request this much is kept at a time: what arrived before a line broke need not be sent again.
PIECE_BYTES = 16 * 1024**2
MOST_METADATA_CHARS = 8_000
PATH = "/v1/recordings"


class _TusRoute(APIRoute):
    """Matches requests that speak tus only, so that `POST /v1/recordings` takes plain forms as well."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and not any(name == b"tus-resumable" for name, _ in scope["headers"]):
            return Match.NONE, {}
        return super().matches(scope)


class UploadReply(BaseModel):
    """`state`: open, complete (being taken in), taken, failed."""

    state: str
    size_bytes: int
    received_bytes: int
    recording_id: int | None
    error: str | None


tus = APIRouter(route_class=_TusRoute, include_in_schema=False)
router = APIRouter(tags=["recordings"], include_in_schema=False)


@tus.post(PATH, status_code=201)
def begin(request: Request, context: Ctx, person_id: PersonId) -> Response:
    """Announce a recording: `Upload-Length`, and in `Upload-Metadata` filename, title, started_at, participants."""
    _check_version(request)
    size = _number(request, "upload-length")
    if size > context.settings.imp_max_upload_bytes:
        raise HTTPException(413, f"larger than the limit of {context.settings.imp_max_upload_bytes} bytes")
    facts = facts_of(request.headers.get("upload-metadata", ""))
    with context.factory.begin() as session:
        made = uploads.begin(session, context.settings, person_id, size, facts)
    headers = {**_headers(made), "Location": f"{context.settings.public_url}{PATH}/uploads/{made.id}"}
    return Response(status_code=201, headers=headers)


@router.options(PATH)
@router.options(PATH + "/uploads/{upload_id}")
def abilities(context: Ctx) -> Response:
    """What of tus is spoken here."""
    limit = str(context.settings.imp_max_upload_bytes)
    headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": limit}
    return Response(status_code=204, headers={**headers, "Tus-Resumable": VERSION})


@router.head(PATH + "/uploads/{upload_id}")
def where(context: Ctx, person_id: PersonId, upload_id: str) -> Response:
    """How much has arrived: where to go on."""
    with context.factory() as session:
        return Response(status_code=200, headers=_headers(uploads.find(session, upload_id, person_id)))


@router.get(PATH + "/uploads/{upload_id}")
def show(context: Ctx, person_id: PersonId, upload_id: str) -> UploadReply:
    """What became of an upload."""
    with context.factory() as session:
        found = uploads.find(session, upload_id, person_id)
    return UploadReply(**{name: getattr(found, name) for name in UploadReply.model_fields})


@router.patch(PATH + "/uploads/{upload_id}")
async def add(request: Request, context: Ctx, person_id: PersonId, upload_id: str) -> Response:
    """Bytes from `Upload-Offset` on. When the line breaks, what had arrived is kept."""
    _check_version(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PIECE_TYPE:
        raise HTTPException(415, f"Content-Type must be {PIECE_TYPE}")
    keeper = _Keeper(context, upload_id, person_id, _number(request, "upload-offset"))
    await run_in_threadpool(keeper.check)
    try:
        async for block in request.stream():
            await keeper.take(block)
    except ClientDisconnect:
        pass
    finally:
        found = await keeper.end()
    return Response(status_code=204, headers=_headers(found))


@router.delete(PATH + "/uploads/{upload_id}")
def discard(context: Ctx, person_id: PersonId, upload_id: str) -> Response:
    """Throw an unfinished upload away."""
    uploads.discard(context, upload_id, person_id)
    return Response(status_code=204, headers={"Tus-Resumable": VERSION})


class _Keeper:
    """Gathers a request's bytes and keeps them in pieces of `PIECE_BYTES`."""

    def __init__(self, context: Context, upload_id: str, person_id: int, offset: int) -> None:
        self._context, self._id, self._person_id, self._offset = context, upload_id, person_id, offset
        self._piece: IO[bytes] = tempfile.TemporaryFile(prefix="imp-piece-")  # noqa: SIM115 (closed by `end`)
        self._size = 0

    def check(self) -> None:
        """Refuse a wrong offset before a byte is read."""
        with tempfile.TemporaryFile() as nothing:
            uploads.append(self._context, self._id, self._person_id, self._offset, nothing)

    async def take(self, block: bytes) -> None:
        self._piece.write(block)
        self._size += len(block)
        if self._size >= PIECE_BYTES:
            await run_in_threadpool(self._keep)

    async def end(self) -> UploadFacts:
        try:
            return await run_in_threadpool(self._keep)
        finally:
            self._piece.close()

    def _keep(self) -> UploadFacts:
        if not self._size:
            with self._context.factory() as session:
                return uploads.find(session, self._id, self._person_id)
        found = uploads.append(self._context, self._id, self._person_id, self._offset, self._piece)
        self._offset += self._size
        self._piece.seek(0)
        self._piece.truncate()
        self._size = 0
        return found


def facts_of(metadata: str) -> dict[str, Any]:
    """`Upload-Metadata`: pairs of a key and base64. Raises BadInput; unknown keys are left out."""
    if len(metadata) > MOST_METADATA_CHARS:
        raise BadInput(f"Upload-Metadata has at most {MOST_METADATA_CHARS} characters")
    said: dict[str, str] = {}
    for pair in filter(None, (one.strip() for one in metadata.split(","))):
        key, _, value = pair.partition(" ")
        try:
            said[key.lower()] = _clean(base64.b64decode(value.strip(), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError, ValueError) as exc:
            raise BadInput(f"Upload-Metadata: {key[:40]!r} is no base64 of UTF-8 text") from exc
    people = [one.strip() for one in said.get("participants", "").split(",")]
    digest = said.get("sha256", "").lower()
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise BadInput("Upload-Metadata: sha256 is no SHA-256 in hexadecimal digits")
    facts = {
        "file_name": PurePosixPath(said.get("filename", "").replace("\\", "/")).name or "recording",
        "title": said.get("title") or None,
        "started_at": _moment(said.get("started_at", "")),
        "participants": [one for one in people if one],
        "sha256": digest or None,
    }
    return {key: value for key, value in facts.items() if value}


def max_body_bytes(settings: Settings) -> dict[str, int]:
    """The largest request: a whole recording in one piece."""
    return {PATH + "/uploads/*": settings.imp_max_upload_bytes + 1024}


def _headers(found: UploadFacts) -> dict[str, str]:
    return {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(found.received_bytes),
        "Upload-Length": str(found.size_bytes),
        "Upload-Expires": format_datetime(found.expires_at.astimezone(UTC), usegmt=True),
        "Cache-Control": "no-store",
    }


def _check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise HTTPException(412, f"Tus-Resumable must be {VERSION}", headers={"Tus-Version": VERSION})


def _number(request: Request, header: str) -> int:
    raw = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,15}", raw):
        raise BadInput(f"the header {header} must be a number of bytes")
    return int(raw)


def _moment(raw: str) -> str | None:
    if not raw:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as exc:
        raise BadInput("Upload-Metadata: started_at is no time such as 2026-11-05T09:30Z") from exc
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not 1970 <= moment.year <= 2100:
        raise BadInput(f"started_at: the year {moment.year} is no year of a recording")
    return moment.isoformat()


def _clean(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "", text)[:300].strip()
