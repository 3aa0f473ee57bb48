"""Attachments: upload (multipart), new versions, and the bytes themselves for the API and for browsers."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import FormData, UploadFile

from sandbox.confluence import content as contents
from sandbox.confluence import shapes_v1 as shapes
from sandbox.confluence.access import editable, may_in_space, viewable
from sandbox.confluence.calls import Call, ThisCall, json_body, json_object, number, this_call
from sandbox.confluence.problems import Refused, bad_request, forbidden, no_content
from sandbox.confluence.routes_v1 import update_content
from sandbox.confluence.store import Content


class AttachmentId(Convertor[str]):
    """`att` and digits: tells an attachment's address from a page's."""

    regex = r"att\d+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("attachment", AttachmentId())
router = APIRouter()
downloads = APIRouter()
MAX_UPLOAD_BYTES = 100_000_000


async def _form(request: Request) -> FormData:
    """Raises: Refused 403 without the XSRF header both flavours want, 400 for another content type."""
    if request.headers.get("x-atlassian-token", "").lower() not in ("no-check", "nocheck"):
        raise Refused(403, "XSRF check failed")
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refused(415, "expected multipart/form-data")
    return await request.form(max_files=20)


async def _files(form: FormData) -> list[tuple[str, bytes, str]]:
    found = []
    for part in form.getlist("file"):
        if isinstance(part, UploadFile):
            data = await part.read()
            if len(data) > MAX_UPLOAD_BYTES:
                raise Refused(413, f"attachments may have {MAX_UPLOAD_BYTES} bytes")
            found.append((part.filename or "file", data, part.content_type or "application/octet-stream"))
    if not found:
        raise bad_request("At least one attachment file was required but not received")
    return found


@router.post("/content/{content_id}/child/attachment")
@router.put("/content/{content_id}/child/attachment")
async def upload(call: ThisCall, request: Request, content_id: str) -> dict[str, Any]:
    """POST refuses a name that is taken, PUT writes a new version of it."""
    form = await _form(request)
    page = viewable(call.store, call.person, content_id)
    if not may_in_space(call.store, call.person, page.space_id, "create", "attachment"):
        raise forbidden("attach files here")
    note, saved = str(form.get("comment") or ""), []
    for name, data, media_type in await _files(form):
        there = _named(call, page, name) if request.method == "PUT" else None
        saved.append(
            contents.attach(
                call.store,
                call.person,
                page,
                name,
                data,
                media_type,
                note=note,
                content_id=there.id if there else None,
            )  # fmt: skip
        )
    tree = shapes.asked(call) or {"version": {}, "container": {}}
    return shapes.collection([shapes.content(call, one, tree) for one in saved])


@router.post("/content/{content_id}/child/attachment/{attachment_id}/data")
async def upload_version(
    call: ThisCall, request: Request, content_id: str, attachment_id: str
) -> dict[str, Any]:
    form = await _form(request)
    page, there = (
        viewable(call.store, call.person, content_id),
        editable(call.store, call.person, attachment_id),
    )
    if there.container_id != page.id:
        raise no_content(attachment_id)
    [(name, data, media_type), *_] = await _files(form)
    new = contents.attach(
        call.store, call.person, page, name, data, media_type, note=str(form.get("comment") or ""),
        content_id=there.id,
    )  # fmt: skip
    return shapes.content(call, new, {"version": {}, "container": {}})


@router.put("/content/{attachment_id:attachment}")
async def replace_attachment(call: ThisCall, request: Request, attachment_id: str) -> dict[str, Any]:
    """Multipart brings a new version of the file, JSON new metadata."""
    there = editable(call.store, call.person, attachment_id)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await upload_version(call, request, there.container_id or "", attachment_id)
    return update_content(call, attachment_id, json_object(await json_body(request)))


def _named(call: Call, page: Content, name: str) -> Content | None:
    where = "container_id = ? AND type = 'attachment' AND title = ? AND status = 'current'"
    found = call.store.contents(where, page.id, name)
    return found[0] if found else None


@router.get("/content/{content_id}/child/attachment/{attachment_id}/download")
def download_redirect(call: ThisCall, content_id: str, attachment_id: str) -> Response:
    found = viewable(call.store, call.person, attachment_id)
    if found.type != "attachment" or found.container_id != content_id:
        raise no_content(attachment_id)
    return RedirectResponse(call.base + shapes.download_path(found), status_code=302)


@downloads.get("/download/attachments/{page_id}/{filename:path}")
def download(request: Request, page_id: str, filename: str) -> Response:
    """With credentials like any call; a browser that looks at our pages is known by its cookie."""
    call = _browser(request) or this_call(request)
    found = _named(call, viewable(call.store, call.person, page_id), filename)
    if found is None:
        raise no_content(filename)
    version = number(call, "version", found.version, low=1)
    return file_response(contents.attachment_bytes(call.store, found, version), found)


def _browser(request: Request) -> Call | None:
    store, who = request.app.state.store, request.cookies.get("view_as", "")
    person = store.person(who) if who and not request.headers.get("authorization") else None
    if person is None:
        return None
    return Call(
        store, person, "", request.url.path.startswith("/wiki/"), request.url.path, request.query_params
    )


def file_response(data: bytes, found: Content) -> Response:
    """The bytes, to be saved or, for pictures and PDF, shown; never run as a page."""
    media_type = str(found.extra.get("media_type") or "application/octet-stream")
    shown = media_type.startswith("image/") or media_type == "application/pdf"
    headers = {
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(found.title)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }
    return Response(data, media_type=media_type, headers=headers)
